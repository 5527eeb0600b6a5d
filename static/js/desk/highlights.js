// Good and bad passages of the responses. They are kept as spans of the text as written, in code points, whatever was on the
// screen when they were made: a selection in the rendered text is looked up in the text as written, and where it cannot be
// found there for certain the desk turns to that text and asks for it once more.
//
// Without a mouse: with a response in focus, the key that marks picks its first sentence; the arrows go on by word (left,
// right) and sentence (up, down), with Shift they extend, and the same key marks what is picked.
import { isTextField } from "./keys.js";

const QUOTED_CHARACTERS = 60;
const WORDS = { good: "good", bad: "bad" };
const ARROWS = { ArrowLeft: ["word", -1], ArrowRight: ["word", 1], ArrowUp: ["sentence", -1], ArrowDown: ["sentence", 1] };

/* Texts that say the same in different letters */

// { text, at }: what is left of a text, and where each of its letters stood.
function sifted(source, isLeftOut) {
  const at = [];
  let text = "";
  for (let place = 0; place < source.length; place += 1) {
    if (isLeftOut(source, place)) continue;
    text += source[place];
    at.push(place);
  }
  return { text, at, source };
}

// The HTML parser makes every line end "\n" and drops the first one of a <pre>.
function asParsed(source) {
  const left = sifted(source, (text, place) => (text[place] === "\r" && text[place + 1] === "\n") || (place === 0 && text[0] === "\n"));
  return { ...left, text: left.text.replaceAll("\r", "\n") };
}

// Letters without white space and without what Markdown means by its signs.
function letters(source) {
  const blank = (found) => " ".repeat(found.length);
  const plain = source.replace(/^[ \t]*(?:[-*+]|\d+[.)])(?=\s)/gmu, blank).replace(/\]\([^()\s]*\)/gu, blank);
  return { ...sifted(plain, (text, place) => /[\s*_`~#>\\|[\]]/u.test(text[place])), source };
}

function occurrences(text, part) {
  const found = [];
  for (let place = text.indexOf(part); place >= 0; place = text.indexOf(part, place + 1)) found.push(place);
  return found;
}

// The place in `to` of [start, end) in `from`; null where the same letters are not there equally often.
function carried(from, start, end, to) {
  const first = from.at.findIndex((place) => place >= start);
  const past = from.at.findIndex((place) => place >= end);
  if (first < 0) return null;
  const part = from.text.slice(first, past < 0 ? undefined : past);
  if (!part) return null;
  const [here, there] = [occurrences(from.text, part), occurrences(to.text, part)];
  if (here.length !== there.length) return null;
  const place = there[here.indexOf(first)];
  return [to.at[place], to.at[place + part.length - 1] + 1];
}

/* Places in the page */

function offsetIn(root, node, offset) {
  const range = document.createRange();
  range.setStart(root, 0);
  range.setEnd(node, offset);
  return range.toString().length;
}

function rangeIn(root, start, end) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let before = 0;
  let hasStart = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const after = before + node.length;
    if (!hasStart && start < after) {
      range.setStart(node, start - before);
      hasStart = true;
    }
    if (hasStart && end <= after) {
      range.setEnd(node, end - before);
      return range;
    }
    before = after;
  }
  return null;
}

const trimmed = (text, start, end) => {
  const part = text.slice(start, end);
  return [start + part.length - part.trimStart().length, end - (part.length - part.trimEnd().length)];
};

/* A response and its two views */

class Side {
  constructor(element, letter, content) {
    this.element = element;
    this.letter = letter;
    this.content = content;
    this.raw = element.querySelector(".side__raw");
    this.rendered = element.querySelector(".side__rendered");
  }

  get root() {
    return this.raw.hidden ? this.rendered : this.raw;
  }

  // From what is on the screen to the text as written, and back: [start, end) or null.
  written(start, end) {
    const shown = this.root.textContent;
    if (this.root === this.rendered) return carried(letters(shown), start, end, letters(this.content));
    if (shown === this.content) return [start, end];
    const { at } = asParsed(this.content);
    return [at[start], at[end] ?? this.content.length];
  }

  shown(start, end) {
    const shown = this.root.textContent;
    if (this.root === this.rendered) return carried(letters(this.content), start, end, letters(shown));
    if (shown === this.content) return [start, end];
    const { at } = asParsed(this.content);
    const past = at.findIndex((place) => place >= end);
    return [at.findIndex((place) => place >= start), past < 0 ? at.length : past];
  }

  points(place) {
    return [...this.content.slice(0, place)].length;
  }

  units(points) {
    return [...this.content].slice(0, points).join("").length;
  }
}

/* The marks */

export class Highlights {
  // `place` holds the buttons [data-mark] and the list [data-marks]. onChanged() after each change.
  constructor(desk, place, { onChanged }) {
    this.desk = desk;
    this.place = place;
    this.onChanged = onChanged;
    this.marks = [];
    this.picked = null;
    this.sides = new Map(desk.item.responses.map(({ id, content }, number) => {
      const element = desk.article.querySelector(`.side[data-response="${id}"]`);
      return [id, new Side(element, "ABCDEFGHIJKL"[number], content)];
    }));
    const { signal } = desk;
    document.addEventListener("selectionchange", () => this.#remember(), { signal });
    desk.article.addEventListener("keydown", (event) => this.#steer(event), { signal });
    place.addEventListener("click", (event) => this.#click(event.target.closest("button")), { signal });
    signal.addEventListener("abort", () => this.gone());
  }

  // [{ response, start, end, mark }], in code points; undefined while there is none.
  get list() {
    return this.marks.length ? this.marks.map(({ id, start, end, mark }) => {
      const side = this.sides.get(id);
      return { response: id, start: side.points(start), end: side.points(end), mark };
    }) : undefined;
  }

  fill(list = []) {
    this.marks = list.filter(({ response }) => this.sides.has(response)).map(({ response, start, end, mark }) => {
      const side = this.sides.get(response);
      return { id: response, start: side.units(start), end: side.units(end), mark };
    });
    this.#show();
  }

  // The selected words are `mark`; without a selection the first sentence of the response in focus is picked.
  mark(mark) {
    const selected = this.#selected();
    if (!selected) return this.#pick();
    const span = this.#written(selected);
    if (!span) return true;
    this.#cut(span);
    this.#join({ ...span, mark });
    this.#done(`Marked as ${WORDS[mark]}: ${this.#quote(span)}`);
    return true;
  }

  // Of the selected words, or else the mark made last.
  remove() {
    const selected = this.#selected();
    if (!selected && !this.marks.length) return false;
    const span = selected ? this.#written(selected) : this.marks.at(-1);
    if (!span) return true;
    this.#cut(span);
    this.#done("Mark removed.");
    return true;
  }

  #done(words) {
    getSelection().removeAllRanges();
    this.last = null;
    this.#show();
    this.onChanged();
    this.desk.say(words);
  }

  #cut({ id, start, end }) {
    this.marks = this.marks.flatMap((one) => {
      if (one.id !== id || one.end <= start || end <= one.start) return [one];
      return [{ ...one, end: start }, { ...one, start: end }].filter((part) => part.start < part.end && this.#isText(part)).map((part) => this.#trimmed(part));
    });
  }

  #trimmed(span) {
    const [start, end] = trimmed(this.sides.get(span.id).content, span.start, span.end);
    return { ...span, start, end };
  }

  #isText({ id, start, end }) {
    return Boolean(this.sides.get(id).content.slice(start, end).trim());
  }

  // Words between two marks of one kind stay unmarked, unless there are none.
  #join(span) {
    const isNeighbour = (one) => one.id === span.id && one.mark === span.mark && this.#isJoined(one, span);
    const all = [span, ...this.marks.filter(isNeighbour)];
    const joined = { ...span, start: Math.min(...all.map((one) => one.start)), end: Math.max(...all.map((one) => one.end)) };
    this.marks = [...this.marks.filter((one) => !isNeighbour(one)), joined];
  }

  #isJoined(one, other) {
    const [first, second] = one.start < other.start ? [one, other] : [other, one];
    return second.start <= first.end || !this.#isText({ id: one.id, start: first.end, end: second.start });
  }

  /* What is selected */

  #remember() {
    const selected = this.#selection();
    // A button that is tapped takes the selection away before it hears of the tap.
    if (selected) this.last = selected;
    else if (!this.place.contains(document.activeElement)) this.last = null;
  }

  #selected() {
    return this.#selection() ?? this.last ?? null;
  }

  #selection() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    const element = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
    const [first, last] = [range.startContainer, range.endContainer].map((node) => element(node).closest(".side"));
    if (!first || !this.desk.article.contains(first)) return null;
    const id = Number(first.dataset.response);
    const { root } = this.sides.get(id);
    // A selection that goes past the end of a text ends in the element after it.
    const end = root.contains(range.endContainer) ? offsetIn(root, range.endContainer, range.endOffset) : root.textContent.length;
    const start = root.contains(range.startContainer) ? offsetIn(root, range.startContainer, range.startOffset) : 0;
    return { id, start, end, isWithin: first === last || !last };
  }

  // In the text as written; null, with words, where it is not there for certain.
  #written({ id, start, end, isWithin }) {
    const side = this.sides.get(id);
    if (!isWithin) {
      this.desk.tell("Mark words of one response at a time.", { kind: "highlight" });
      return null;
    }
    const [from, to] = trimmed(side.root.textContent, start, end);
    const found = from < to ? side.written(from, to) : null;
    if (found) return { id, start: found[0], end: found[1] };
    getSelection().removeAllRanges();
    this.last = null;
    this.desk.showAsWritten();
    this.desk.tell("This passage cannot be found for certain in the text as written, which is shown now: select it here once more.", { kind: "highlight" });
    return null;
  }

  /* By keyboard */

  #pick() {
    const focused = document.activeElement.closest?.(".side") ?? this.picked?.side.element;
    const side = [...this.sides.values()].find(({ element }) => element === focused);
    if (!side) {
      this.desk.say("Select words in a response first.");
      return true;
    }
    const after = this.picked?.side === side && this.picked.text === side.root.textContent ? this.picked.end : 0;
    this.picked = { side, text: side.root.textContent, start: after, end: after };
    this.#move("sentence", 1);
    return true;
  }

  #steer(event) {
    const step = ARROWS[event.key];
    if (!this.picked || isTextField(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isSelected = this.#selection()?.id === Number(this.picked.side.element.dataset.response);
    if (!isSelected) return;
    if (event.key === "Escape") getSelection().removeAllRanges();
    else if (step) this.#move(...step, { isExtended: event.shiftKey });
    else return;
    event.preventDefault();
  }

  #move(what, direction, { isExtended = false } = {}) {
    const { picked } = this;
    const parts = [...new Intl.Segmenter(undefined, { granularity: what }).segment(picked.text)]
      .map(({ index, segment }) => trimmed(picked.text, index, index + segment.length))
      .filter(([start, end]) => /[\p{L}\p{N}\p{S}]/u.test(picked.text.slice(start, end)));
    if (direction > 0) {
      // What is left of the part one is in comes first.
      const next = parts.find(([, end]) => end > picked.end);
      const [start] = next ? trimmed(picked.text, Math.max(next[0], picked.end), next[1]) : [];
      if (next) Object.assign(picked, { start: isExtended ? picked.start : start, end: next[1] });
    } else if (isExtended) {
      // Gives back the last one, never all of them.
      picked.end = parts.findLast(([, end]) => end < picked.end && end > picked.start)?.[1] ?? picked.end;
    } else {
      const before = parts.findLast(([, end]) => end <= picked.start);
      if (before) Object.assign(picked, { start: before[0], end: before[1] });
    }
    this.#select();
  }

  #select() {
    const { side, start, end, text } = this.picked;
    const range = start < end && rangeIn(side.root, start, end);
    if (!range) return;
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const [box, words] = [side.element.getBoundingClientRect(), range.getBoundingClientRect()];
    if (words.bottom > box.bottom) side.element.scrollBy(0, words.bottom - box.bottom + words.height);
    else if (words.top < box.top) side.element.scrollBy(0, words.top - box.top - words.height);
    this.desk.say(text.slice(start, end));
  }

  /* On the screen */

  #click(button) {
    if (button?.dataset.mark) this.mark(button.dataset.mark);
    if (!button?.dataset.remove) return;
    const number = Number(button.dataset.remove);
    this.marks.splice(number, 1);
    this.#done("Mark removed.");
    const rest = this.place.querySelectorAll("[data-remove]");
    (rest[Math.min(number, rest.length - 1)] ?? this.place.querySelector("[data-mark]")).focus();
  }

  #quote({ id, start, end }) {
    const words = this.sides.get(id).content.slice(start, end).replace(/\s+/gu, " ");
    return words.length <= QUOTED_CHARACTERS ? words : `${words.slice(0, QUOTED_CHARACTERS).trimEnd()}…`;
  }

  #show() {
    const list = this.place.querySelector("[data-marks]");
    list.hidden = !this.marks.length;
    this.place.querySelector("[data-no-marks]").hidden = Boolean(this.marks.length);
    list.replaceChildren(...this.marks.map((mark, number) => this.#row(mark, number)));
    this.painted();
  }

  #row(mark, number) {
    const row = document.createElement("li");
    const [sign, words, remove] = ["span", "q", "button"].map((name) => document.createElement(name));
    row.className = `pairwise-mark pairwise-mark--${mark.mark}`;
    sign.textContent = `${mark.mark === "good" ? "+" : "−"} ${this.sides.get(mark.id).letter}`;
    sign.title = `${WORDS[mark.mark]}, in response ${this.sides.get(mark.id).letter}`;
    words.textContent = this.#quote(mark);
    words.dir = "auto";
    Object.assign(remove, { type: "button", className: "button button--quiet", textContent: "Remove" });
    remove.dataset.remove = number;
    remove.setAttribute("aria-label", `Remove the ${WORDS[mark.mark]} mark on ${words.textContent}`);
    row.append(sign, words, remove);
    return row;
  }

  // The texts have been put anew.
  painted() {
    if (!globalThis.CSS?.highlights) return;
    for (const name of Object.keys(WORDS)) {
      const ranges = this.marks.filter(({ mark }) => mark === name).map((mark) => this.#range(mark)).filter(Boolean);
      CSS.highlights.set(`marked-${name}`, new Highlight(...ranges));
    }
  }

  #range({ id, start, end }) {
    const side = this.sides.get(id);
    const shown = side.shown(start, end);
    return shown && rangeIn(side.root, ...shown);
  }

  gone() {
    for (const name of Object.keys(WORDS)) globalThis.CSS?.highlights?.delete(`marked-${name}`);
  }
}
