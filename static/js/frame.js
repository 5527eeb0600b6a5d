// What every page shares: the palette, the list of keys, light and dark, copy buttons.
import { openPalette } from "./palette.js";

export function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function toggleTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const current = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const next = current === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("winnow.theme", next);
}

async function copyFrom(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  await navigator.clipboard.writeText(text);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    openPalette();
  } else if (event.key === "?" && !isTyping(event.target)) {
    document.getElementById("keys-dialog").showModal();
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("openPalette" in button.dataset) openPalette();
  if ("openKeys" in button.dataset) document.getElementById("keys-dialog").showModal();
  if ("toggleTheme" in button.dataset) toggleTheme();
  if (button.dataset.copy) copyFrom(button);
});

// A click on the backdrop closes; the dialog element itself is the backdrop's target.
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
