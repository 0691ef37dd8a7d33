// Shows the theme that a person has chosen, and hears the shortcuts of the keyboard.

const WAIT = 1500 // ms between the two keys of a shortcut

export default function ({ data }) {
  show(data.theme, data.paths)
  let first = "", at = 0
  const hear = event => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=listbox]")
    if (typing || document.querySelector("[role=dialog]") || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
    const keys = first && Date.now() - at < WAIT ? `${first} ${event.key}` : event.key
    first = keys === event.key ? event.key : ""
    at = Date.now()
    const path = data.shortcuts[keys] ?? data.shortcuts[event.key]
    if (path === undefined) return
    event.preventDefault()
    if (path === "") search()
    else link(path)?.click()
  }
  document.addEventListener("keydown", hear)
  return () => document.removeEventListener("keydown", hear)
}

// Streamlit keeps the theme by the path at which a tab was opened, and reads it only then.
function show(theme, paths) {
  let changed = false
  for (const path of paths) {
    const name = `stActiveTheme-${path}-v2`
    if ((read(name) ?? "System") === theme) continue
    localStorage.setItem(name, JSON.stringify(theme))
    changed = true
  }
  if (changed) location.reload()
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name))
  } catch {
    return null
  }
}

function search() {
  const fields = [...document.querySelectorAll('[data-testid="stMain"] input[type="search"]')]
  fields.find(one => one.offsetParent)?.focus()
}

function link(path) {
  const links = [...document.querySelectorAll(".st-key-nav a[href]")]
  return links.find(one => new URL(one.href).pathname === path)
}
