// Ctrl+K: pages, projects, campaigns, methods, or a comparison by its number.
const dialog = document.getElementById("palette");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
let entries = null;
let chosen = 0;

export async function openPalette() {
  if (!dialog) return;
  dialog.showModal();
  input.value = "";
  entries ??= (await (await fetch(input.dataset.source)).json()).entries;
  show();
}

function matching() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const number = /^#?(\d+)$/.exec(input.value.trim());
  const found = entries.filter((entry) => words.every((word) => `${entry.label} ${entry.kind}`.toLowerCase().includes(word)));
  const project = document.body.dataset.project;
  if (number && project) {
    found.unshift({ label: `Comparison ${number[1]}`, kind: "comparison", href: `/p/${project}/comparisons/${number[1]}/` });
  }
  return found.slice(0, 30);
}

function show() {
  const found = matching();
  chosen = Math.max(0, Math.min(chosen, found.length - 1));
  list.replaceChildren(...found.map(toItem));
  if (!found.length) list.textContent = "Nothing here by that name.";
  input.setAttribute("aria-activedescendant", found.length ? `palette-${chosen}` : "");
}

function toItem(entry, index) {
  const item = document.createElement("a");
  item.className = "palette__item";
  item.id = `palette-${index}`;
  item.role = "option";
  item.tabIndex = -1;
  item.href = entry.href;
  item.ariaSelected = String(index === chosen);
  const kind = document.createElement("span");
  kind.className = "palette__kind";
  kind.textContent = entry.kind;
  item.append(entry.label, kind);
  return item;
}

input?.addEventListener("input", () => { chosen = 0; show(); });
input?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    chosen += step;
    show();
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter") {
    event.preventDefault();
    list.querySelector("[aria-selected=true]")?.click();
  }
});
