// Shows the theme that a person has chosen, hears the shortcuts of the keyboard, and closes the menu
// of a phone once somebody has chosen a page in it.

const WAIT = 1500 // ms between the two keys of a shortcut
const PHONE = "(max-width: 768px)" // below, Streamlit lays the sidebar over the page
const TRIED = "sync-desk-theme" // the theme for which this tab was loaded anew

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
  document.addEventListener("click", closeMenu)
  return () => {
    document.removeEventListener("keydown", hear)
    document.removeEventListener("click", closeMenu)
  }
}

function closeMenu(event) {
  if (!matchMedia(PHONE).matches || !event.target.closest?.(".st-key-nav a[href]")) return
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click()
}

// Streamlit keeps the theme by the path at which a tab was opened, and reads it only then. So a tab
// that shows another one is loaded anew, once for each choice: whatever hinders it, it does not loop.
function show(theme, paths) {
  try {
    if (shown() === meant(theme)) sessionStorage.removeItem(TRIED)
    const there = paths.map(path => `stActiveTheme-${path}-v2`)
    const wrong = there.filter(name => (read(name) ?? "System") !== theme)
    for (const name of wrong) localStorage.setItem(name, JSON.stringify(theme))
    if (shown() === meant(theme) || sessionStorage.getItem(TRIED) === theme) return
    sessionStorage.setItem(TRIED, theme)
    location.reload()
  } catch { // a browser that keeps nothing shows the theme of its system
  }
}

function shown() {
  return getComputedStyle(document.querySelector('[data-testid="stApp"]')).colorScheme
}

function meant(theme) {
  if (theme !== "System") return theme.toLowerCase()
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name))
  } catch { // somebody else wrote it
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
