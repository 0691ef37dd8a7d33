// Tells which row of a table somebody opens, by a click anywhere on it or by Enter, and by which
// header they sort. The table itself is plain HTML beside this.

const STILL = 5 // pixels: whoever moves the pointer further selects, or scrolls

export default function ({ data, setTriggerValue }) {
  let pressed
  const within = ({ target }, wanted) => {
    const found = target.closest?.(wanted)
    return found?.closest(`.st-key-${CSS.escape(data)}`) && found
  }
  const press = event => { pressed = [event.clientX, event.clientY] }
  const click = event => {
    const header = within(event, "[data-sorts]")
    if (header) return setTriggerValue("sorted", header.dataset.sorts)
    const row = !within(event, "a, summary") && within(event, "[data-opens]")
    const [x, y] = pressed ?? [event.clientX, event.clientY]
    const still = Math.hypot(event.clientX - x, event.clientY - y) < STILL
    if (row && still) setTriggerValue("opened", row.dataset.opens)
  }
  const key = event => {
    const row = event.key === "Enter" && event.target.matches?.("[data-opens]") && within(event, "[data-opens]")
    if (!row) return
    event.preventDefault()
    setTriggerValue("opened", row.dataset.opens)
  }
  const table = document.querySelector(`.st-key-${CSS.escape(data)}`)
  if (table) table.dataset.ready = "" // before, a click is not heard, and nothing looks as if it were
  const heard = { pointerdown: press, click, keydown: key }
  for (const [name, hear] of Object.entries(heard)) document.addEventListener(name, hear, true)
  return () => {
    for (const [name, hear] of Object.entries(heard)) document.removeEventListener(name, hear, true)
  }
}
