// What the desk says: to the eye, to a screen reader, and about where the answers are.
const WORDS = { saved: "Saved", saving: "Saving", draft: "Draft saved", local: "Draft kept here" };

export function say(words) {
  document.getElementById("live").textContent = words;
}

// `acts`: [[label, function], ...], as buttons beside the words.
export function tell(words, { kind = "problem", acts = [], detail = "" } = {}) {
  const notice = document.getElementById("notice");
  const text = document.createElement("span");
  text.textContent = words;
  notice.replaceChildren(text, ...acts.map(([label, act]) => button(label, act)));
  if (detail) notice.append(written(detail));
  notice.dataset.kind = kind;
  notice.hidden = false;
}

// Without a kind, all but an answer that nobody else has.
export function hush(kind) {
  const notice = document.getElementById("notice");
  if (kind ? notice.dataset.kind === kind : notice.dataset.kind !== "refused") notice.hidden = true;
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button";
  made.textContent = label;
  made.addEventListener("click", () => { document.getElementById("notice").hidden = true; act(); });
  return made;
}

function written(text) {
  const made = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "What was written";
  const body = document.createElement("pre");
  body.textContent = text;
  made.append(summary, body);
  return made;
}

// `state`: saved, saving, offline (answers wait), draft, local (a draft that the server does not have).
export function showState(state, waiting = 0) {
  const mark = document.getElementById("state");
  const words = state === "offline" ? `Offline, ${waiting} waiting` : WORDS[state];
  if (mark.dataset.state !== state && ["saved", "offline"].includes(state)) say(words);
  mark.dataset.state = state;
  mark.textContent = words;
}
