// What a portal does with the client that openapi-typescript and openapi-fetch make of the description: find,
// quote, book and move an instrument; and, in a second run, check in and out and read what it costs. Every name
// and type here is the description's: `tsc` refuses others. Prints JSON for the test that runs it.
import createClient from "openapi-fetch";
import type { components, paths } from "./commons";

type Schemas = components["schemas"];
type Task = {
  step: "book" | "use";
  address: string;
  token: string;
  instrument: string;
  start: string;
  end: string;
  later: string;
  laterEnd: string;
  booking: string;
};

declare const process: { argv: string[]; exit(code: number): never };

const task = JSON.parse(process.argv[2]) as Task;
const api = createClient<paths>({
  baseUrl: task.address,
  headers: { Authorization: `Bearer ${task.token}` },
});

function had<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status} ${answer.response.url}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

function holds(fact: boolean, what: string): void {
  if (!fact) throw new Error(what);
}

async function book(): Promise<unknown> {
  const found = had(await api.GET("/api/v1/instruments/", { params: { query: { limit: 50 } } }));
  const instrument = found.results.find((one) => one.id === task.instrument);
  if (instrument === undefined) throw new Error("the instrument is not found");

  const wish = { instrument: instrument.id, start: task.start, end: task.end, service_mode: "self" } as const;
  const quote = had(await api.POST("/api/v1/quotes/", { body: wish }));
  holds(quote.refusals.length === 0, `refused: ${JSON.stringify(quote.refusals)}`);

  const body = { ...wish, purpose: { code: "research", text: "Proteomics" } } as const;
  const request = { params: { header: { "Idempotency-Key": "portal-1" } }, body };
  const first = await api.POST("/api/v1/reservations/", request);
  const booked = had(first) as Schemas["ReservationShape"];
  holds(booked.state === "requested" && booked.quote?.payable === quote.payable, "booked as quoted");
  const again = had(await api.POST("/api/v1/reservations/", request)) as Schemas["ReservationShape"];
  holds(again.id === booked.id, "carried out once");

  const tag = first.response.headers.get("ETag") ?? "";
  const move = {
    params: { path: { reservation_id: booked.id }, header: { "If-Match": tag } },
    body: { start: task.later, end: task.laterEnd },
  };
  const moved = had(await api.POST("/api/v1/reservations/{reservation_id}/move/", move));
  holds(Date.parse(moved.start) === Date.parse(task.later), "moved");
  const stale = await api.POST("/api/v1/reservations/{reservation_id}/move/", move);
  holds(stale.response.status === 412, `moved by an old version: ${stale.response.status}`);
  return { booking: booked.id, payable: moved.quote?.payable };
}

async function use(): Promise<unknown> {
  const params = { path: { reservation_id: task.booking } };
  had(await api.POST("/api/v1/reservations/{reservation_id}/check-in/", { params, body: {} }));
  const done = had(await api.POST("/api/v1/reservations/{reservation_id}/check-out/", { params, body: {} }));
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const charges = had(await api.GET("/api/v1/charges/", {}));
    if (typeof charges === "string") throw new Error("a file was not asked for");
    const charge = charges.results.find((one) => one.reservation === task.booking);
    if (charge !== undefined) return { state: done.state, payable: charge.payable.amount, user: charge.user.name };
    await new Promise((wake) => setTimeout(wake, 1000));
  }
  throw new Error("no charge was made");
}

(task.step === "book" ? book() : use()).then(
  (told) => console.log(JSON.stringify(told)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
