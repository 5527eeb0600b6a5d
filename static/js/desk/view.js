// How the item is looked at: rendered or as written, with differences, folded, side by side or stacked, scrolled together.
import { difference, mark } from "./diff.js";
import { say } from "./notices.js";

const KEPT = "winnow.desk.view";
const FOLD_ABOVE_LINES = { prompt: 9, response: 40 };
// A part that is hardly longer than its folded form stays open.
const SPARE_LINES = 3;
const SCROLLS = { share: "Scroll together, by share", same: "Scroll together, line by line", apart: "Scroll apart" };
const PAGE_SHARE = 0.85;

export class View {
  // onPainted(): the texts have been put anew, so that marks on them have to be made again.
  constructor(desk, place, { onPainted }) {
    this.desk = desk;
    this.place = place;
    this.onPainted = onPainted;
    this.asked = { diff: false, raw: false };
    this.kept = { width: "equal", scroll: "share", ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
    this.expected = new WeakMap();
    desk.dataset.width = this.kept.width;
    place.addEventListener("scroll", (event) => this.#scrollOthers(event.target), { capture: true, passive: true });
    place.addEventListener("focusin", (event) => this.#remember(event.target.closest(".side")));
    this.#showButtons();
  }

  get sides() {
    return [...this.place.querySelectorAll(".side")];
  }

  // A new item is in place.
  open() {
    this.side = null;
    this.texts = [...this.place.querySelectorAll(".side__raw")].map((raw) => raw.textContent);
    this.show(this.desk.dataset.view === "both" ? "both" : "a");
    this.paint();
    this.#measure();
  }

  toggle(what) {
    this.set(what, !this.asked[what]);
  }

  set(what, isOn) {
    if (this.asked[what] === isOn) return;
    this.asked[what] = isOn;
    this.paint();
  }

  paint() {
    const raws = [...this.place.querySelectorAll(".side__raw")];
    const marksDifferences = this.asked.diff && raws.length === 2;
    const isAsWritten = this.asked.raw || marksDifferences;
    for (const raw of raws) raw.hidden = !isAsWritten;
    for (const side of this.place.querySelectorAll(".side__rendered")) side.hidden = isAsWritten;
    if (marksDifferences) difference(...this.texts).forEach((parts, index) => mark(raws[index], parts));
    else raws.forEach((raw, index) => { raw.textContent = this.texts[index]; });
    this.#showButtons();
    this.onPainted();
  }

  #showButtons() {
    const pressed = { ...this.asked, width: this.kept.width === "stacked" };
    for (const [act, isOn] of Object.entries(pressed)) {
      for (const button of this.desk.querySelectorAll(`.desk__tools [data-act=${act}]`)) button.setAttribute("aria-pressed", String(isOn));
    }
    const lock = this.desk.querySelector(".desk__tools [data-act=scrollLock]");
    if (lock) lock.title = SCROLLS[this.kept.scroll];
    lock?.setAttribute("aria-pressed", String(this.kept.scroll !== "apart"));
  }

  #keep(name, value) {
    this.kept[name] = value;
    localStorage.setItem(KEPT, JSON.stringify(this.kept));
    this.#showButtons();
  }

  // "a", "b", ... or "both": which side a phone shows.
  show(view) {
    this.desk.dataset.view = view;
    for (const side of this.sides) side.toggleAttribute("data-shown", view === "both" || side.dataset.side === view);
    for (const tab of this.place.querySelectorAll("[data-view]")) tab.setAttribute("aria-pressed", String(tab.dataset.view === view));
  }

  changeWidth() {
    this.#keep("width", this.kept.width === "equal" ? "stacked" : "equal");
    this.desk.dataset.width = this.kept.width;
    say(this.kept.width === "equal" ? "Side by side" : "One above the other");
  }

  changeScroll() {
    const names = Object.keys(SCROLLS);
    this.#keep("scroll", names[(names.indexOf(this.kept.scroll) + 1) % names.length]);
    say(SCROLLS[this.kept.scroll]);
  }

  // Focuses the response at that place, from 0; false without one.
  focusSide(number) {
    const side = this.sides[number];
    if (!side) return false;
    if (this.desk.dataset.view !== "both") this.show(side.dataset.side);
    side.focus({ preventScroll: true });
    side.scrollIntoView({ block: "nearest" });
    return true;
  }

  #remember(side) {
    if (side) this.side = side;
  }

  // The response that was focused last, by most of its height; `direction` is 1 or -1.
  scroll(direction) {
    const side = this.side ?? this.sides.find((one) => one.offsetParent);
    if (!side) return;
    const scrolls = (box) => box.scrollHeight > box.clientHeight + 1 && getComputedStyle(box).overflowY !== "visible";
    const box = [side, side.parentElement].find(scrolls) ?? document.scrollingElement;
    box.scrollBy({ top: direction * Math.round(box.clientHeight * PAGE_SHARE) });
  }

  #scrollOthers(from) {
    if (!from.matches?.(".side") || this.kept.scroll === "apart") return;
    if (Math.abs((this.expected.get(from) ?? -2) - from.scrollTop) <= 1) return void this.expected.delete(from);
    const share = from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight);
    for (const side of this.sides) {
      if (side === from) continue;
      const most = side.scrollHeight - side.clientHeight;
      const top = Math.min(most, this.kept.scroll === "same" ? from.scrollTop : share * most);
      if (Math.abs(side.scrollTop - top) <= 1) continue;
      this.expected.set(side, top);
      side.scrollTop = top;
    }
  }

  #measure() {
    for (const fold of this.place.querySelectorAll("[data-fold]")) {
      const body = fold.querySelector(".fold__body");
      const lines = Math.round(body.scrollHeight / parseFloat(getComputedStyle(body).lineHeight));
      const isLong = lines > FOLD_ABOVE_LINES[fold.dataset.fold] + SPARE_LINES;
      fold.dataset.lines = lines;
      fold.querySelector(".fold__more").hidden = !isLong;
      fold.toggleAttribute("data-long", isLong);
      this.#fold(fold, isLong && fold.dataset.fold === "prompt");
    }
  }

  #fold(fold, isFolded) {
    fold.toggleAttribute("data-folded", isFolded);
    const more = fold.querySelector(".fold__more");
    more.setAttribute("aria-expanded", String(!isFolded));
    more.textContent = isFolded ? `Show all ${fold.dataset.lines} lines` : `Fold ${fold.dataset.lines} lines`;
  }

  toggleFold(fold) {
    this.#fold(fold, !("folded" in fold.dataset));
  }

  // Everything long at once: open it while anything is folded, else fold it.
  foldAll() {
    const long = [...this.place.querySelectorAll("[data-long]")];
    const earlier = this.place.querySelector("details.item__earlier");
    const isAnyFolded = long.some((fold) => "folded" in fold.dataset) || (earlier && !earlier.open);
    for (const fold of long) this.#fold(fold, !isAnyFolded);
    if (earlier) earlier.open = isAnyFolded;
    if (!long.length && !earlier) say("Nothing here is long.");
  }
}
