// `fetch` for a program that comes to an installation by another address than its name, as behind a proxy: the
// standard one sends no Host of ours. Imported before the program (node --import).
import http from "node:http";

globalThis.fetch = async (request) => {
  const body = Buffer.from(await request.arrayBuffer());
  const headers = { ...Object.fromEntries(request.headers), host: process.env.COMMONS_HOST };
  headers["x-forwarded-proto"] = "https";
  if (body.length) headers["content-length"] = body.length;
  return new Promise((answered, failed) => {
    const asked = http.request(request.url, { method: request.method, headers }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("end", () => {
        const text = answer.statusCode === 204 ? null : Buffer.concat(pieces);
        const sent = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        answered(new Response(text, { status: answer.statusCode, headers: sent }));
      });
    });
    asked.on("error", failed);
    asked.end(body);
  });
};
