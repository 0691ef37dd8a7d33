// The sync of one resource, as a hook: what it is now, and what may be done.

import { useCallback, useEffect, useMemo, useRef, useState } from "react"
import { Api, Refusal, type Line, type Resource, type Run } from "./api"

export interface Sync {
  resource: Resource | null
  run: Run | null // the one on its way, else the newest
  lines: Line[]
  connection: "live" | "polling" | "lost"
  problem: string
  starting: boolean
  start: () => Promise<void>
  cancel: () => Promise<void>
  confirm: () => Promise<void>
}

export interface Options {
  resource: string
  base?: string
  token?: string
  onEnd?: (run: Run) => void // once for a run that ended while it was followed
}

export const isActive = (run: Run | null): boolean =>
  run !== null && ["queued", "running", "interrupted"].includes(run.status)

export function useSync({ resource: name, base, token, onEnd }: Options): Sync {
  const api = useMemo(() => new Api(base, token), [base, token])
  const [resource, setResource] = useState<Resource | null>(null)
  const [run, setRun] = useState<Run | null>(null)
  const [lines, setLines] = useState<Line[]>([])
  const [connection, setConnection] = useState<Sync["connection"]>("live")
  const [problem, setProblem] = useState("")
  const [starting, setStarting] = useState(false)
  const following = useRef(new AbortController())
  const ended = useRef(onEnd)
  ended.current = onEnd

  const follow = useCallback(async (first: Run) => {
    following.current.abort()
    const { signal } = (following.current = new AbortController())
    setRun(first)
    setLines([])
    setConnection("live")
    for await (const told of api.follow(first.id, signal)) {
      if (signal.aborted) return
      if (told.event === "log") setLines(known => [...known, told.data])
      else if (told.event === "open") setConnection("live")
      else if (told.event === "lost") setConnection("lost")
      else {
        setRun(told.data)
        setConnection(told.polled ? "polling" : "live")
        if (told.event === "end" && !first.finished_at) ended.current?.(told.data)
      }
    }
  }, [api])

  // Do one thing; what goes wrong with it is said.
  const doing = useCallback(async (act: () => Promise<void>) => {
    setProblem("")
    try {
      await act()
    } catch (caught) {
      const refused = caught instanceof Refusal
      setProblem(refused ? `${caught.detail} ${caught.advice}` : "The server cannot be reached.")
    }
  }, [])

  // A run that is on its way when the page opens is followed, whoever started it.
  useEffect(() => {
    void doing(async () => {
      const found = await api.resource(name)
      setResource(found)
      if (found.latest) await follow(found.latest)
    })
    return () => following.current.abort()
  }, [api, name, doing, follow])

  const start = () => doing(async () => {
    setStarting(true)
    const started = await api.start(name).finally(() => setStarting(false))
    await follow(started)
  })
  const cancel = () => doing(async () => {
    if (run) setRun(await api.decide(run.id, "cancel"))
  })
  const confirm = () => doing(async () => {
    if (run) await follow(await api.decide(run.id, "confirm"))
  })
  return { resource, run, lines, connection, problem, starting, start, cancel, confirm }
}
