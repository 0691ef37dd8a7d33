// Asks whether the browser may notify, upon a click, and says how it is.

const WORDS = {
  granted: "While this tab is in the background, the browser tells you what happens.",
  denied: "This browser may not notify you: allow it for this site in the browser's settings.",
  default: "While this tab is in the background, the browser itself can tell you what happens.",
}

export default function ({ parentElement }) {
  const [text, button] = [parentElement.querySelector("p"), parentElement.querySelector("button")]
  const show = () => {
    const how = "Notification" in window ? Notification.permission : "none"
    text.textContent = WORDS[how] ?? "This browser has no notifications."
    button.hidden = how !== "default"
  }
  button.onclick = async () => {
    await Notification.requestPermission()
    show()
  }
  show()
}
