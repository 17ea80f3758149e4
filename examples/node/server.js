// A guest book kept in memory: it begins anew with each release.
import express from "express";

const app = express();
const guests = [];

app.use(express.urlencoded({ extended: false, limit: "4kb" }));

app.get("/", (request, response) => {
  const names = guests.map((name) => `<li>${escape(name)}</li>`).join("");
  response.send(`<!doctype html><meta charset="utf-8"><title>Guest book</title>
    <h1>Guest book</h1><p>Release ${escape(process.env.PERRON_RELEASE ?? "none")}</p>
    <ul>${names}</ul>
    <form method="post"><input name="name" required maxlength="60"> <button>Sign</button></form>`);
});

app.post("/", (request, response) => {
  guests.push(String(request.body.name ?? "").slice(0, 60));
  if (guests.length > 100) guests.shift();
  response.redirect(303, "/");
});

function escape(text) {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const server = app.listen(process.env.PORT ?? 8000, "127.0.0.1");
server.keepAliveTimeout = 75_000;
process.on("SIGTERM", () => server.close());
