// What every page shares: the palette, the list of keys, light and dark, copy buttons.
import { openPalette } from "./palette.js";

const NOT_TEXT = /^(button|checkbox|color|file|image|radio|range|reset|submit)$/;

export function isTyping(target) {
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return target.tagName === "INPUT" && !NOT_TEXT.test(target.type);
}

export function toggleTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const current = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const next = current === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("winnow.theme", next);
}

function toggleMenu(button) {
  button.ariaExpanded = String(button.ariaExpanded !== "true");
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
  if ("toggleMenu" in button.dataset) toggleMenu(button);
  if ("toggleTheme" in button.dataset) toggleTheme();
  if (button.dataset.copy) copyFrom(button);
});

// What scrolls is reached by the keyboard too; when it no longer scrolls, it is no stop on the way.
function reachScrollers() {
  for (const box of document.querySelectorAll(".table-wrap, pre, .reading, [data-scrolls]")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      box.dataset.reached = "";
    } else if (!scrolls && "reached" in box.dataset) {
      box.removeAttribute("tabindex");
      delete box.dataset.reached;
    }
  }
}

let isReaching = false;
function reachSoon() {
  if (isReaching) return;
  isReaching = true;
  requestAnimationFrame(() => { isReaching = false; reachScrollers(); });
}
reachSoon();
addEventListener("resize", reachSoon);
new MutationObserver(reachSoon).observe(document.body, { subtree: true, childList: true, attributeFilter: ["hidden", "open"] });

// A click on the backdrop closes; the dialog element itself is the backdrop's target.
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
