// Questions that are rows of radio buttons, walked and answered by key, and the comparison that opens after the last one.
// A row is [data-row=NAME][data-response=ID or empty]; its text in full is [data-anchors=NAME].
import { mount as mountComparison } from "./kinds/pairwise.js";

export class Rows {
  constructor(form, desk) {
    this.form = form;
    this.desk = desk;
    this.rows = [...form.querySelectorAll("[data-row]")];
    this.compare = form.querySelector("[data-compare]");
    this.comparison = this.compare && mountComparison(form, desk);
    form.addEventListener("focusin", ({ target }) => this.#reveal(target.closest("[data-row]")));
    form.addEventListener("change", () => this.show());
    // The desk is told the current question only once this kind is in place.
    queueMicrotask(() => this.show());
  }

  #checked(row) {
    return row.querySelector("input:checked");
  }

  get firstOpen() {
    return this.rows.find((row) => !this.#checked(row));
  }

  // { RESPONSE: { NAME: answer } }, or { NAME: answer } where no single response is asked about.
  get values() {
    const values = {};
    for (const row of this.rows) {
      const { value } = this.#checked(row) ?? {};
      if (value === undefined) continue;
      const answer = Number.isNaN(Number(value)) ? value : Number(value);
      if (row.dataset.response) (values[row.dataset.response] ??= {})[row.dataset.row] = answer;
      else values[row.dataset.row] = answer;
    }
    return values;
  }

  set values(values) {
    for (const row of this.rows) {
      const { row: name, response } = row.dataset;
      const answer = response ? values?.[response]?.[name] : values?.[name];
      for (const input of row.querySelectorAll("input")) input.checked = input.value === String(answer);
    }
    this.show();
  }

  get #reason() {
    return this.form.elements.reason ?? null;
  }

  // Of what follows the rows: the choice where it is asked for, and the reason.
  get rest() {
    return this.comparison ? this.comparison.draft() : { reason: this.#reason?.value || undefined };
  }

  fillRest(draft) {
    if (this.comparison) this.comparison.fill(draft);
    else if (this.#reason && this.#reason.value !== (draft.reason ?? "")) this.#reason.value = draft.reason ?? "";
    this.show();
  }

  // Null while something is missing.
  readRest() {
    if (this.firstOpen) return null;
    if (this.comparison) return this.comparison.read();
    return this.#reason?.required && !this.#reason.value.trim() ? null : this.rest;
  }

  missing() {
    const open = this.firstOpen;
    if (open) {
      const count = this.rows.filter((row) => !this.#checked(row)).length;
      return `${count} ${count === 1 ? "question is" : "questions are"} open. The next one: ${open.getAttribute("aria-label")}.`;
    }
    return this.comparison ? this.comparison.missing() : "This campaign asks for a short reason.";
  }

  questions() {
    const compare = this.compare?.disabled ? null : this.compare;
    return [...this.rows, compare, this.#reason].filter(Boolean);
  }

  act(name) {
    const digit = /^digit([0-9])$/.exec(name)?.[1];
    const current = this.desk.question();
    if (current && current === this.compare) return digit ? this.comparison.act(`choose${digit}`) : false;
    if (!this.rows.includes(current)) return false;
    const input = current.querySelector(digit ? `[data-digit="${digit}"]` : `[data-answer="${name}"]`);
    if (!input) return false;
    input.checked = true;
    input.focus({ preventScroll: true });
    this.desk.changed();
    this.show();
    this.desk.stepOn();
    return true;
  }

  // Which question a digit answers now, its anchors, and whether the comparison is open.
  show() {
    if (this.compare) this.compare.disabled = Boolean(this.firstOpen);
    const current = this.desk.question();
    for (const row of this.rows) row.toggleAttribute("data-current", row === current);
    const row = this.rows.includes(current) ? current : null;
    let isExplained = false;
    for (const anchors of this.form.querySelectorAll("[data-anchors]")) {
      anchors.hidden = anchors.dataset.anchors !== row?.dataset.row;
      if (anchors.hidden) continue;
      isExplained = true;
      const letter = anchors.querySelector("[data-letter]");
      if (letter) letter.textContent = row.dataset.side.toUpperCase();
      const value = this.#checked(row)?.value;
      for (const point of anchors.querySelectorAll("[data-point]")) point.toggleAttribute("data-chosen", point.dataset.point === value);
    }
    this.form.querySelector("[data-no-anchors]")?.toggleAttribute("hidden", isExplained);
  }

  // On a phone, where one side is shown at a time, the side that is asked about.
  #reveal(row) {
    this.show();
    const tab = row?.dataset.side && this.desk.article.querySelector(`.item__tabs [data-view="${row.dataset.side}"]`);
    const both = this.desk.article.querySelector('.item__tabs [data-view="both"]');
    const isShown = [tab, both].some((button) => button?.getAttribute("aria-pressed") === "true");
    if (tab?.offsetParent && !isShown) tab.click();
  }
}
