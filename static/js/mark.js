// Both responses with the words that differ marked, or as they are.
export function mark() {
  const pair = document.querySelector("[data-pair]");
  const button = pair?.querySelector("[data-mark]");
  if (!button) return;
  const isOn = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", isOn);
  for (const text of pair.querySelectorAll("[data-text]")) text.hidden = isOn;
  for (const diff of pair.querySelectorAll("[data-diff]")) diff.hidden = !isOn;
}

document.addEventListener("click", (event) => { if (event.target.closest("[data-mark]")) mark(); });
