// A panel for the sync of one resource: start, follow, see what came of it, cancel.

import { useEffect, useRef } from "react"
import type { Line, Run, Status, Step } from "./api"
import { isActive, useSync, type Options, type Sync } from "./useSync"

const WORDS: Record<Status, string> = {
  queued: "Waiting for a worker",
  running: "Syncing",
  interrupted: "Interrupted, continues by itself",
  waiting: "Waiting for a decision",
  completed: "Completed",
  partial: "Completed, some rows failed",
  failed: "Failed",
  cancelled: "Cancelled",
  timed_out: "Timed out",
  expired: "Expired",
}
const CONNECTIONS = { live: "", polling: " · without live log", lost: " · connection lost, trying again" }
const COUNTS = ["read", "created", "updated", "unchanged", "skipped", "failed", "removed"]

export function SyncPanel(options: Options) {
  const sync = useSync(options)
  const { resource, run, lines, connection, problem } = sync
  return (
    <section className="sync-panel" aria-label={resource?.title ?? "Sync"}>
      <header>
        <h2>{resource?.title ?? "Sync"}</h2>
        <Buttons sync={sync} />
      </header>
      <div role="status">
        {run && (
          <>
            <strong className={run.status}>{isActive(run) && run.cancelling ? "Cancelling" : WORDS[run.status]}</strong>{" "}
            <small>Run {run.id}, asked for by {run.requested_by}{CONNECTIONS[connection]}</small>
          </>
        )}
      </div>
      {run && <p>{run.progress?.sentence ?? run.message}</p>}
      {run?.advice && <p className="quiet">{run.advice}</p>}
      {run && resource && <Steps run={run} steps={resource.steps} />}
      {run && <Figures run={run} />}
      {lines.length > 0 && <Log lines={lines} />}
      <p role="alert" className="failed">{problem}</p>
    </section>
  )
}

function Buttons({ sync: { resource, run, starting, start, cancel, confirm } }: { sync: Sync }) {
  const busy = starting || isActive(run)
  const waits = run?.status === "waiting"
  return (
    <div className="buttons">
      {waits && <button onClick={confirm}>Apply the plan</button>}
      {(isActive(run) || waits) && (
        <button onClick={cancel} disabled={run?.cancelling}>{waits ? "Decline" : "Cancel"}</button>
      )}
      <button className="main" onClick={start} disabled={!resource || busy || waits}>
        {busy ? "Syncing..." : "Sync data"}
      </button>
    </div>
  )
}

function Steps({ run, steps }: { run: Run; steps: Step[] }) {
  const now = isActive(run) ? steps.findIndex(step => step.phase === run.progress?.phase) : -1
  const applied = run.status === "completed" || run.status === "partial"
  const done = applied ? steps.length : run.status === "waiting" ? steps.length - 1 : now
  const percent = run.progress?.percent ?? 0
  return (
    <>
      <ol className="steps" aria-label="Steps">
        {steps.map((step, index) => (
          <li
            key={step.phase}
            className={index < done ? "done" : undefined}
            aria-current={index === now ? "step" : undefined}
          >
            {step.title}
          </li>
        ))}
      </ol>
      {isActive(run) && (
        <div className="bar" role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
          <i style={{ width: `${percent}%` }} />
        </div>
      )}
    </>
  )
}

function Figures({ run }: { run: Run }) {
  return (
    <dl>
      {figures(run).map(([name, value]) => (
        <div key={name}>
          <dt>{name[0].toUpperCase() + name.slice(1).replaceAll("_", " ")}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function figures(run: Run): [string, string][] {
  const count = (number: number) => number.toLocaleString()
  if (!isActive(run)) {
    const tables = Object.values(run.counts)
    const sums = COUNTS.map(name => [name, count(tables.reduce((sum, of) => sum + (of[name] ?? 0), 0))])
    return [...sums, ...(run.seconds === null ? [] : [["seconds", run.seconds.toFixed(1)]])] as [string, string][]
  }
  if (!run.progress) return []
  const { percent, done, total, unit, counts } = run.progress
  const whole = total !== null && total >= done ? ` of ${count(total)}` : ""
  return [
    ["done", `${percent}%`],
    ...(unit && done ? [[unit, count(done) + whole]] : []),
    ...Object.entries(counts).map(([name, number]) => [name, count(number)]),
  ] as [string, string][]
}

// The newest line stays in sight, unless somebody has scrolled up.
function Log({ lines }: { lines: Line[] }) {
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    if (list.current && atEnd.current) list.current.scrollTop = list.current.scrollHeight
  }, [lines])
  const look = () => {
    const { scrollHeight, scrollTop, clientHeight } = list.current!
    atEnd.current = scrollHeight - scrollTop - clientHeight < 40
  }
  return (
    <div className="log" role="log" aria-label="Log" tabIndex={0} ref={list} onScroll={look}>
      {lines.map(({ at, level, text }) => (
        <div key={at} className={level}>
          <time>{new Date(at * 1000).toLocaleTimeString()}</time> {text}
        </div>
      ))}
    </div>
  )
}
