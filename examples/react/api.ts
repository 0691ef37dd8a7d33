// What the API says of runs, and how to follow one.

export type Status =
  | "queued" | "running" | "interrupted" | "waiting" | "completed" | "partial"
  | "failed" | "cancelled" | "timed_out" | "expired"

export interface Progress {
  phase: string
  sentence: string
  percent: number // of the whole run
  done: number // in this phase
  total: number | null
  unit: string // of `done` and `total`; "" without one
  counts: Record<string, number>
}

export interface Run {
  id: number
  resource: string
  status: Status
  requested_by: string
  started_at: string | null
  finished_at: string | null
  seconds: number | null
  message: string
  advice: string
  counts: Record<string, Record<string, number>> // rows by what happened to them, of each table
  cancelling: boolean
  progress: Progress | null
}

export interface Step { phase: string; title: string; start: number; end: number }
export interface Resource { name: string; title: string; steps: Step[]; latest: Run | null }
export interface Line { at: number; level: "info" | "warning" | "error"; text: string }

export type Told =
  | { event: "run" | "end"; data: Run; polled?: boolean }
  | { event: "log"; data: Line }
  | { event: "open" } // the stream
  | { event: "lost" } // and tried again

// What the API refuses, as its problem+json: a sentence, what to do, perhaps a run.
export class Refusal extends Error {
  constructor(
    readonly status: number, readonly code: string, readonly detail: string, readonly advice: string,
    readonly run: number | null,
  ) {
    super(detail)
  }
  // Whether the same request would be refused again.
  get final(): boolean { return this.status < 500 && this.status !== 429 }
}

const AGAIN = 1_000 // milliseconds until a broken stream is opened again, or a poll is repeated
const FIRST = 8_000 // for its first event: something in between may hold a stream back
const SILENT = 40_000 // between two: the server says something every 15 s, if only that it is there
const TRIES = 2 // streams that bring nothing, before we ask again and again instead

const pause = () => new Promise(go => setTimeout(go, AGAIN))

// `base` is where the API stands. Without a token the sign-in of the pages counts, on their own site.
export class Api {
  constructor(private readonly base = "/api/v1", private readonly token?: string) {}

  async ask(path: string, options: RequestInit = {}): Promise<Response> {
    const shown: Record<string, string> = this.token ? { authorization: `Bearer ${this.token}` } : {}
    const answer = await fetch(this.base + path, { ...options, headers: { ...shown, ...options.headers } })
    if (answer.ok) return answer
    const told = await answer.json().catch(() => ({ detail: `The server answered ${answer.status}.` }))
    throw new Refusal(answer.status, told.code ?? "", told.detail, told.advice ?? "", told.run ?? null)
  }

  async read<T>(path: string, options: RequestInit = {}): Promise<T> {
    return (await (await this.ask(path, options)).json()) as T
  }

  async resource(name: string): Promise<Resource> {
    const { resources } = await this.read<{ resources: Resource[] }>("/resources")
    const found = resources.find(one => one.name === name)
    if (!found) throw new Refusal(404, "unknown_resource", `There is no resource ${name}.`, "", null)
    return found
  }

  // Start a sync. The key makes it safe to ask again where no answer came: there is one run.
  async start(resource: string): Promise<Run> {
    const headers = {
      "content-type": "application/json",
      "idempotency-key": `${Date.now()}-${Math.random()}`,
    }
    const asked = { method: "POST", headers, body: JSON.stringify({ resource }) }
    for (let tries = 3; ; tries--) {
      try {
        return await this.read<Run>("/runs", asked)
      } catch (problem) {
        const refused = problem instanceof Refusal
        if (refused && problem.code === "already_running") return this.read<Run>(`/runs/${problem.run}`)
        if ((refused && problem.final) || tries === 1) throw problem
        await pause()
      }
    }
  }

  decide(run: number, verb: "cancel" | "confirm"): Promise<Run> {
    return this.read<Run>(`/runs/${run}/${verb}`, { method: "POST" })
  }

  // Tell what happens to a run until its end: each event once, whatever breaks meanwhile.
  async *follow(run: number, signal: AbortSignal): AsyncGenerator<Told> {
    let last = ""
    let failures = 0
    while (failures < TRIES && !signal.aborted) {
      const line = new AbortController()
      const hangUp = () => line.abort()
      signal.addEventListener("abort", hangUp)
      let timer = setTimeout(hangUp, FIRST)
      const alive = () => {
        clearTimeout(timer)
        timer = setTimeout(hangUp, SILENT)
        failures = 0
      }
      try {
        const headers: Record<string, string> = last ? { "last-event-id": last } : {}
        const answer = await this.ask(`/runs/${run}/events`, { headers, signal: line.signal })
        if (answer.status === 204 || !answer.body) return
        yield { event: "open" }
        for await (const { id, ...told } of events(answer.body, alive)) {
          last = id
          yield told as Told
          if (told.event === "end") return
        }
      } catch (problem) {
        if (problem instanceof Refusal && problem.final) throw problem
        if (problem instanceof Full) failures = TRIES
      } finally {
        clearTimeout(timer)
        signal.removeEventListener("abort", hangUp)
      }
      failures += 1
      yield { event: "lost" }
      await pause()
    }
    yield* this.poll(run, signal)
  }

  // The same without a stream: no lines of the log, but all that the run is.
  private async *poll(run: number, signal: AbortSignal): AsyncGenerator<Told> {
    while (!signal.aborted) {
      try {
        const data = await this.read<Run>(`/runs/${run}`, { signal })
        yield { event: data.finished_at ? "end" : "run", data, polled: true }
        if (data.finished_at) return
      } catch (problem) {
        if (problem instanceof Refusal && problem.final) throw problem
        yield { event: "lost" }
      }
      await pause()
    }
  }
}

class Full extends Error {} // too many follow runs on this server

// Read server-sent events; EventSource would do so by itself, but it cannot show a token.
async function* events(body: ReadableStream<Uint8Array>, alive: () => void) {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
  let text = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    alive()
    const blocks = (text + value).split(/\r?\n\r?\n/)
    text = blocks.pop() ?? ""
    for (const block of blocks) {
      const lines = block.split(/\r?\n/).map(line => line.split(/: (.*)/s) as [string, string])
      const { id, event, data } = Object.fromEntries(lines)
      if (event === "problem") throw new Full()
      if (id && event && data) yield { id, event, data: JSON.parse(data) as unknown }
    }
  }
}
