// Shows what is told as the browser's own notifications, where nobody looks at the tab.

const told = new Set() // of this tab, as long as it is open

export default function ({ data }) {
  const fresh = data.map(one => JSON.stringify(one)).filter(one => !told.has(one))
  for (const one of fresh) {
    told.add(one)
    tell(JSON.parse(one))
  }
}

function tell({ title, text, address }) {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return
  try {
    const shown = new Notification(title, { body: text, tag: title + text }) // one for all tabs
    shown.onclick = () => {
      window.focus()
      shown.close()
      open(address)
    }
  } catch {
    // Browsers of phones have no such notifications.
  }
}

function open(address) {
  const { href } = new URL(address, location.href)
  const link = [...document.querySelectorAll("a[href]")].find(one => one.href === href && one.target !== "_blank")
  if (link) link.click() // without loading all anew
  else location.assign(address)
}
