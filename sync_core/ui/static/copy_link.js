// Copies the address of what the page shows, or a text, and says so for a moment.

const SAID_FOR = 2000 // milliseconds

export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button")
  const label = button.querySelector("[role=status]")
  let timer
  button.querySelector(".icon").textContent = data.icon
  label.textContent = data.label
  button.setAttribute("aria-label", data.label)
  button.onclick = async () => {
    const copied = await copy(data.text ?? new URL(data.address, location.href).href)
    label.textContent = copied ? "Copied" : "Not allowed"
    clearTimeout(timer)
    timer = setTimeout(() => { label.textContent = data.label }, SAID_FOR)
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelecting(text) // where a page without HTTPS may not write it
  }
}

function copyBySelecting(text) {
  const field = document.createElement("textarea")
  field.value = text
  document.body.append(field)
  field.select()
  const copied = document.execCommand("copy")
  field.remove()
  return copied
}
