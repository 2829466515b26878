import express from "express"

// The least that Express does for an answer: `node --import tsx constant-server.ts <port> <JSON>`.
const [port, value = ""] = process.argv.slice(2)
const app = express()
app.get("/value", (_request, response) => void response.type("application/json").send(value))
app.listen(Number(port), "127.0.0.1", () => process.stdout.write("up\n"))
