// Which response is better, on the steps that the campaign offers; and what else it asks: further questions on the same steps,
// tags, a reason, highlights, an ideal response.
import { Highlights } from "../highlights.js";

export function mount(form, desk) {
  const bar = form.querySelector(".answer__bar");
  const more = form.querySelector(".pairwise-more");
  const rows = [...form.querySelectorAll(".pairwise-dimension")];
  const tagList = form.querySelector(".pairwise-tags");
  const marking = form.querySelector(".pairwise-highlights");
  const [reason, ideal] = [form.elements.reason, form.elements.ideal];
  const highlights = marking && new Highlights(desk, marking, { onChanged: changed });

  const listen = (element, name, act) => element?.addEventListener(name, act, { signal: desk.signal });
  listen(more?.querySelector(".pairwise-more__toggle"), "click", () => open(!("open" in more.dataset)));
  listen(more?.querySelector(".pairwise-more__body"), "focusin", () => open());
  listen(ideal?.closest("[data-ideal]"), "click", (event) => startFrom(event.target.closest("[data-start-from]")));
  listen(form, "input", shown);

  function open(isOpen = true) {
    if (!more || "open" in more.dataset === isOpen) return;
    more.toggleAttribute("data-open", isOpen);
    more.querySelector(".pairwise-more__toggle").setAttribute("aria-expanded", String(isOpen));
  }

  // What is there after a change: the rest opens once an answer is begun, and the reason's letters are counted.
  function shown() {
    if (Object.values(draft()).some((value) => value !== undefined)) open();
    const count = form.querySelector("[data-count-of=reason]");
    if (count) count.textContent = reason.value.trim().length;
  }

  function changed() {
    shown();
    desk.changed();
  }

  function startFrom(button) {
    if (!button) return;
    const from = desk.item.responses[Number(button.dataset.startFrom)];
    ideal.value = from.content;
    ideal.focus();
    changed();
    desk.say("Copied. Ctrl+Z outside the text brings back what was there.");
  }

  /* Answers */

  const checked = (group) => group.querySelector("input[type=radio]:checked");

  function choose(group, key) {
    const radio = [...group.querySelectorAll("input[type=radio]")].find((step) => step.dataset.key === key);
    if (!radio) return false;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    changed();
    return true;
  }

  function toggleTag(number) {
    const box = tagList.querySelectorAll("input")[number - 1];
    if (!box) return false;
    box.checked = !box.checked;
    box.focus({ preventScroll: true });
    changed();
    return true;
  }

  function answer(digit) {
    const question = desk.question();
    if (question === tagList && tagList) return digit > 0 && toggleTag(digit);
    const row = rows.indexOf(question);
    const isTaken = choose(row < 0 ? bar : question, String(digit));
    if (isTaken && row >= 0 && row < rows.length - 1) desk.stepOn();
    return isTaken;
  }

  function chosen() {
    const value = checked(bar)?.value;
    return value === undefined || Number.isNaN(Number(value)) ? value : Number(value);
  }

  const filled = (object) => (Object.keys(object).length ? object : undefined);

  function draft() {
    const answered = rows.filter(checked).map((row) => [row.dataset.dimension, Number(checked(row).value)]);
    const tags = tagList ? [...tagList.querySelectorAll("input:checked")].map((box) => box.value) : [];
    return {
      choice: chosen(),
      dimensions: filled(Object.fromEntries(answered)),
      tags: tags.length ? tags : undefined,
      reason: reason?.value || undefined,
      highlights: highlights?.list,
      ideal: ideal?.value || undefined,
    };
  }

  // [what is missing in words, where], in the order of the form.
  function lacking() {
    const least = desk.settings.min_reason_characters ?? 0;
    const written = reason?.value.trim().length ?? 0;
    const unanswered = rows.find((row) => !checked(row));
    if (chosen() === undefined) return ["Choose an answer first.", checked(bar) ?? bar.querySelector("input")];
    if (unanswered && chosen() !== "both_bad") return [`Not answered yet: ${unanswered.textContent.trim().split("\n")[0]}`, unanswered.querySelector("input")];
    if (tagList && desk.settings.tags_required && !tagList.querySelector(":checked")) return ["This campaign asks for at least one tag.", tagList.querySelector("input")];
    if (reason?.required && !written) return ["This campaign asks for a short reason.", reason];
    if (written && written < least) return [`The reason needs ${least} characters, and has ${written}.`, reason];
    if (ideal?.required && !ideal.value.trim()) return ["This campaign asks for an ideal response.", ideal];
    return null;
  }

  return {
    draft,

    read() {
      return lacking() ? null : draft();
    },

    missing() {
      const [words, where] = lacking();
      where.focus();
      return words;
    },

    fill({ choice, dimensions = {}, tags = [], reason: why = "", highlights: spans = [], ideal: best = "" }) {
      for (const step of bar.querySelectorAll("input")) step.checked = step.value === String(choice);
      for (const row of rows) {
        for (const step of row.querySelectorAll("input")) step.checked = step.value === String(dimensions[row.dataset.dimension]);
      }
      for (const box of tagList?.querySelectorAll("input") ?? []) box.checked = tags.includes(box.value);
      if (reason && reason.value !== why) reason.value = why;
      if (ideal && ideal.value !== best) ideal.value = best;
      highlights?.fill(spans);
      shown();
    },

    act(name) {
      const digit = /^(?:choose|digit)([0-9])$/.exec(name)?.[1];
      if (name === "bothBad" || digit === "0") return choose(bar, "0");
      if (name === "bothGood") return choose(bar, "g");
      if (digit) return answer(Number(digit));
      if (name === "highlightGood") return Boolean(highlights?.mark("good"));
      if (name === "highlightBad") return Boolean(highlights?.mark("bad"));
      if (name === "removeHighlight") return Boolean(highlights?.remove());
      return false;
    },

    questions() {
      return [bar, ...rows, tagList, reason, ideal].filter(Boolean);
    },

    painted() {
      highlights?.painted();
    },
  };
}
