#pragma once
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

/** All samples of a measurement, and what they come to. */
class Delays {
 public:
  void add(int64_t ns) { us_.push_back(static_cast<float>(ns) / 1000); }

  /** Takes what `other` has. */
  void add(Delays& other) {
    us_.insert(us_.end(), other.us_.begin(), other.us_.end());
    other.us_.clear();
  }

  /** JSON of the samples since the last call. Percentiles are those of all samples, sorted. */
  std::string take() {
    std::sort(us_.begin(), us_.end());
    char text[128];
    snprintf(text, sizeof text, R"({"samples":%zu,"p50Us":%.1f,"p99Us":%.1f,"maxUs":%.1f})", us_.size(), part(0.5),
             part(0.99), part(1));
    us_.clear();
    return text;
  }

 private:
  float part(double share) const {
    if (us_.empty()) return 0;
    return us_[std::min(us_.size() - 1, static_cast<size_t>(share * us_.size()))];
  }

  std::vector<float> us_;
};
