# One image per service: docker buildx build --build-arg SERVICE=broker .
ARG BASE_IMAGE=node:24-bookworm-slim

# Only what npm reads. COPY compares contents, so the installs below stay cached while no manifest changes.
FROM ${BASE_IMAGE} AS manifests
WORKDIR /serialcast
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

# Everything at once: all images share this stage.
FROM ${BASE_IMAGE} AS build
WORKDIR /serialcast
COPY --from=manifests /serialcast .
RUN npm ci
COPY . .
RUN node build/main.js services/*

# The service, those packages of this repository that it uses, and their production dependencies.
FROM ${BASE_IMAGE} AS service
WORKDIR /serialcast
COPY --from=manifests /serialcast .
ARG SERVICE
# npm counts what the packages under libs/ need for their tests as needed here, so that goes first.
RUN npm pkg delete devDependencies --workspaces \
 && npm ci --omit=dev --workspace "services/${SERVICE:?expected --build-arg SERVICE=<folder of services/>}"
RUN --mount=from=build,source=/serialcast,target=/build \
 packages=$(realpath --relative-to=. node_modules/@serialcast/*) \
 && mkdir /image && cp -r --parents node_modules $packages /image \
 && cd /build && find $packages -name dist -prune -exec cp -r --parents {} /image \;

FROM ${BASE_IMAGE}
ENV NODE_ENV=production
# A new volume takes over the owner of the folder that it is mounted on; init writes the token, the agent its journal and the
# broker what it retains, without being root. Users and groups are numbers, as a base image need not have a user of ours.
RUN install -d -o 1000 -g 1000 /access /journal /retained
ARG SERVICE
COPY --from=service /image /serialcast
RUN ln -s "services/$SERVICE/dist/main.js" /serialcast/main.js
USER 1000:1000
# Where serialcast.yaml is looked for; nothing has to be there.
WORKDIR /config
# By bash, as a slim image has no curl, and starting node every time takes three times the processor time.
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/9090 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ $status = 200 ]"]
# In exec form nothing stands between node and the signals that a container gets. Run it with --init (`init: true`): as
# process 1 it hears no SIGTERM while it loads.
CMD ["node", "/serialcast/main.js"]
