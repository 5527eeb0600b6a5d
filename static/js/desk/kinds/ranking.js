// All responses to a prompt, best first. Every response has a rank, or none yet; equal ranks are a tie. While not all have one,
// a rank stands as it was given; from then on the ranks are counted 1, 2, 3 without a gap.
import { Drag } from "../drag.js";

const ORDINALS = new Intl.PluralRules("en", { type: "ordinal" });
const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinal = (number) => `${number}${ENDINGS[ORDINALS.select(number)]}`;
const OPEN = "open";

export function mount(form, desk) {
  const list = form.querySelector(".ranking__places");
  const open = list.querySelector(".ranking__place--open");
  const options = [...list.querySelectorAll("[role=option]")];
  const { reason } = form.elements;
  const hasTies = desk.settings.tie ?? true;
  const ranks = new Map();
  let current = options[0];

  const listen = (element, name, act) => element.addEventListener(name, act, { signal: desk.signal });
  listen(list, "focusin", (event) => { current = event.target.closest("[role=option]") ?? current; showCurrent(); });
  listen(list, "keydown", keyed);
  listen(form, "click", clicked);
  const drag = new Drag(list, { item: "[role=option]", place: ".ranking__place", hasTies, signal: desk.signal, onDropped: dropped });

  /* Ranks */

  // [[option, ...], ...], best first.
  function places() {
    const numbers = [...new Set(ranks.values())].sort((one, other) => one - other);
    return numbers.map((number) => options.filter((option) => ranks.get(option) === number));
  }

  function put(all) {
    ranks.clear();
    all.filter((place) => place.length).forEach((place, index) => place.forEach((option) => ranks.set(option, index + 1)));
  }

  // The places without that option, and the index of the one it was in.
  function without(option) {
    const all = places();
    return [all.map((place) => place.filter((one) => one !== option)), all.findIndex((place) => place.includes(option))];
  }

  function rank(option, number) {
    if (number > options.length) return desk.say(`There are ${options.length} responses.`);
    ranks.delete(option);
    if (!hasTies) makeRoom(number);
    ranks.set(option, number);
    done(option);
    const next = options.find((one) => !ranks.has(one));
    (next ?? option).focus({ preventScroll: true });
    return true;
  }

  function makeRoom(number) {
    const holder = [...ranks].find(([, held]) => held === number)?.[0];
    if (!holder) return;
    makeRoom(number + 1);
    ranks.set(holder, number + 1);
  }

  // Out of a tie, or past the next place; without a rank yet, behind all others.
  function move(option, step) {
    const [all, index] = without(option);
    if (index < 0) all.push([option]);
    else {
      const isTied = all[index].length > 0;
      const at = step < 0 ? index - (isTied ? 0 : 1) : index + (isTied ? 1 : 2);
      all.splice(Math.max(0, at), 0, [option]);
    }
    put(all);
    done(option);
  }

  // With the place above, or the one below at the top; once more parts them.
  function tie(option) {
    if (!hasTies) return desk.say("This campaign offers no ties.");
    const [all, index] = without(option);
    if (index >= 0 && all[index].length) all.splice(index + 1, 0, [option]);
    else {
      const rest = all.map((place, at) => [place, at]).filter(([place]) => place.length);
      const near = rest.findLast(([, at]) => index < 0 || at < index) ?? rest[0];
      if (near) near[0].push(option);
      else all.push([option]);
    }
    put(all);
    done(option);
    return true;
  }

  function takeOut(option) {
    ranks.delete(option);
    done(option);
  }

  // `where`: "before", "after" or "tie", of the place at `index`; or into the open ones.
  function dropped(option, target, where) {
    if (target === open && where === OPEN) return takeOut(option);
    const anchor = target === open ? null : target.querySelector("[role=option]:not([data-dragged])");
    const [all] = without(option);
    const index = anchor ? all.findIndex((place) => place.includes(anchor)) : all.length;
    if (index < 0) return undefined;
    if (where === "tie" && hasTies && anchor) all[index].push(option);
    else all.splice(index + (where === "after" ? 1 : 0), 0, [option]);
    put(all);
    option.focus({ preventScroll: true });
    return done(option);
  }

  function done(option) {
    if (ranks.size === options.length) put(places());
    show();
    desk.changed();
    desk.say(words(option));
  }

  function words(option) {
    const number = ranks.get(option);
    if (!number) return `${option.dataset.letter} is not ranked.`;
    const level = options.filter((one) => one !== option && ranks.get(one) === number).map((one) => one.dataset.letter);
    return `${option.dataset.letter} is ${ordinal(number)} of ${options.length}${level.length ? `, level with ${level.join(" and ")}` : ""}.`;
  }

  /* The screen */

  function show() {
    const focused = document.activeElement;
    for (const old of list.querySelectorAll(".ranking__place:not(.ranking__place--open)")) old.remove();
    open.append(...options.filter((option) => !ranks.has(option)));
    list.prepend(...places().map(placeOf));
    open.hidden = ranks.size === options.length;
    for (const option of options) describe(option);
    if (options.includes(focused)) focused.focus({ preventScroll: true });
    showCurrent();
  }

  function placeOf(held) {
    const place = document.createElement("div");
    place.className = "ranking__place";
    place.role = "group";
    place.dataset.ordinal = place.ariaLabel = ordinal(ranks.get(held[0]));
    place.append(...held);
    return place;
  }

  function describe(option) {
    option.ariaLabel = ranks.has(option) ? words(option).replace(" is", ",").replace(".", "") : `${option.dataset.letter}, not ranked yet`;
    const letter = desk.article.querySelector(`.side[data-response="${option.dataset.response}"] .side__letter`);
    if (ranks.has(option)) letter.dataset.rank = ordinal(ranks.get(option));
    else delete letter.dataset.rank;
  }

  function showCurrent() {
    for (const option of options) {
      option.tabIndex = option === current ? 0 : -1;
      option.ariaSelected = String(option === current);
    }
  }

  /* Hands */

  function shownOptions() {
    return [...list.querySelectorAll("[role=option]")];
  }

  function keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const all = shownOptions();
    const index = all.indexOf(current);
    const steps = { ArrowLeft: all[index - 1], ArrowRight: all[index + 1], Home: all[0], End: all.at(-1) };
    if (Object.hasOwn(steps, event.key)) steps[event.key]?.focus();
    else if (event.key === "ArrowUp") move(current, -1);
    else if (event.key === "ArrowDown") move(current, 1);
    else if (event.key === " " && !ranks.has(current)) placeNext(current);
    else return;
    event.preventDefault();
  }

  function placeNext(option) {
    if (Math.max(0, ...ranks.values()) === options.length) put(places());
    rank(option, Math.max(0, ...ranks.values()) + 1);
  }

  function clicked(event) {
    const option = event.target.closest("[role=option]");
    const asked = event.target.closest("[data-rank]")?.dataset.rank;
    if (option && drag.wasDragged) return;
    if (option && !ranks.has(option)) placeNext(option);
    if (asked) moves[asked](current);
  }

  const moves = { up: (option) => move(option, -1), down: (option) => move(option, 1), tie, out: takeOut };

  /* The answer */

  const id = (option) => Number(option.dataset.response);
  const named = (written) => options.find((option) => option.dataset.response === String(written));

  function draft() {
    return { ranks: Object.fromEntries([...ranks].map(([option, number]) => [id(option), number])), reason: reason?.value || undefined };
  }

  function lacking() {
    const unranked = options.filter((option) => !ranks.has(option));
    const written = reason?.value.trim().length ?? 0;
    const least = desk.settings.min_reason_characters ?? 0;
    if (unranked.length) return [`Not ranked yet: ${unranked.map((option) => option.dataset.letter).join(", ")}.`, unranked[0]];
    if (reason?.required && !written) return ["This campaign asks for a short reason.", reason];
    if (written && written < least) return [`The reason needs ${least} characters, and has ${written}.`, reason];
    return null;
  }

  show();

  return {
    draft,

    read() {
      return lacking() ? null : { ranking: places().map((place) => place.map(id)), reason: draft().reason };
    },

    missing() {
      const [text, where] = lacking();
      where.focus();
      return text;
    },

    fill({ ranking, ranks: given, reason: why = "" }) {
      ranks.clear();
      if (ranking) put(ranking.map((place) => place.map(named).filter(Boolean)));
      for (const [written, number] of Object.entries(given ?? {})) if (named(written)) ranks.set(named(written), number);
      if (reason && reason.value !== why) reason.value = why;
      show();
    },

    act(name) {
      const digit = /^(?:choose|digit)([0-9])$/.exec(name)?.[1];
      if (digit === "0") takeOut(current);
      else if (digit) rank(current, Number(digit));
      else if (name === "moveUp") move(current, -1);
      else if (name === "moveDown") move(current, 1);
      else if (name === "tie") tie(current);
      else return false;
      return true;
    },

    questions() {
      return [...shownOptions(), reason].filter(Boolean);
    },
  };
}
