// The annotator's desk: shows an item, takes the answer, and swaps in the next one that comes with the reply.
import { isTyping } from "./frame.js";
import { Refused, Unreachable, call } from "./judge-api.js";
import { ActiveClock } from "./judge-clock.js";
import { difference, mark } from "./judge-diff.js";
import { Outbox } from "./judge-outbox.js";

const DRAFT_AFTER_MS = 700;
const LONGEST_BEAT_MS = 60_000;

const desk = document.getElementById("content");
const place = document.getElementById("item");
const skipDialog = document.getElementById("skip");
const guidelines = document.getElementById("guidelines");
const clock = new ActiveClock();
const show = { diff: false, raw: false };
let count = Number(desk.dataset.mine);
let live = null; // the reply that brought the item to judge, kept while an old answer is looked at
let draftTimer;
let beatTimer;
let isBusy = false;

const article = () => place.querySelector(".item");
const form = () => place.querySelector("form.answer");
const assignmentId = () => article()?.dataset.assignment;
const judgmentId = () => article()?.dataset.judgment;
const localDraft = () => `winnow.draft.${desk.dataset.user}.${assignmentId()}`;

const outbox = new Outbox(desk.dataset.user, {
  onChange: showState,
  onRefused: (error) => tell(`${error.message} That answer was not stored.`),
});

function showState(state, waiting = 0) {
  const words = { saved: "Saved", saving: "Saving", offline: `Offline, ${waiting} waiting` };
  const mark = document.getElementById("state");
  if (mark.dataset.state !== state && state !== "saving") say(words[state]);
  mark.dataset.state = state;
  mark.textContent = words[state];
  if (state === "offline") tell("The server cannot be reached. Your answer is kept in this browser and is sent as soon as it can be.", "offline");
  else hush("offline");
}

function say(words) {
  document.getElementById("live").textContent = words;
}

function tell(words, kind = "problem") {
  const notice = document.getElementById("notice");
  notice.textContent = words;
  notice.dataset.kind = kind;
  notice.hidden = false;
}

function hush(kind) {
  const notice = document.getElementById("notice");
  if (!kind || notice.dataset.kind === kind) notice.hidden = true;
}

function showClaim(claim, { isLive = true } = {}) {
  if (isLive) live = claim;
  const nothing = document.getElementById("nothing");
  place.setAttribute("aria-busy", "false");
  place.hidden = !claim;
  nothing.hidden = Boolean(claim);
  if (!claim) {
    place.replaceChildren();
    document.getElementById("done").textContent = count;
    document.getElementById("count").textContent = count;
    nothing.focus();
    say("Nothing is left for you here.");
    return;
  }
  place.innerHTML = claim.html;
  desk.dataset.view = "a";
  clock.restart();
  restoreLocalDraft();
  applyShow();
  document.getElementById("count").textContent = judgmentId() ? "an earlier answer" : count + 1;
  showLease(isLive ? claim.assignment.expires_at : null);
  beat();
  scrollTo(0, 0);
  document.getElementById("prompt").focus({ preventScroll: true });
  say(judgmentId() ? "An earlier answer of yours." : "Next item.");
}

function showLease(expiresAt) {
  const words = expiresAt ? `held until ${new Date(expiresAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "";
  document.getElementById("lease").textContent = words;
}

async function claimNext() {
  try {
    await outbox.flush();
    showClaim(await call("POST", `campaigns/${desk.dataset.campaign}/claim?html=true`));
  } catch (error) {
    if (error instanceof Unreachable) {
      tell(`${error.message} Trying again in a few seconds.`);
      setTimeout(() => { hush(); claimNext(); }, 4000);
    } else if (error instanceof Refused) tell(error.message);
    else throw error;
  }
}

function answer() {
  const data = new FormData(form());
  const choice = data.get("choice");
  if (choice === null) return null;
  const body = { choice: choice === "both_bad" ? choice : Number(choice) };
  if (data.get("reason")?.trim()) body.reason = data.get("reason");
  return body;
}

async function submit() {
  if (isBusy || !form()) return;
  const body = answer();
  if (!body) {
    tell("Choose an answer first: 1 to 7, or 0 where both are bad.");
    form().querySelector("input[type=radio]").focus();
    return;
  }
  if (!form().reportValidity()) return;
  hush();
  isBusy = true;
  clearTimeout(draftTimer);
  const draft = localDraft();
  body.seconds = clock.seconds;
  const old = judgmentId();
  if (old) {
    const revised = await outbox.add(`judgments/${old}/revise`, body);
    isBusy = false;
    if (revised) { localStorage.removeItem(draft); backToLive(); }
    return;
  }
  const reply = await outbox.add(`assignments/${assignmentId()}/judgment?html=true`, body);
  isBusy = false;
  localStorage.removeItem(draft);
  if (!reply) return void claimNext();
  count += 1;
  showClaim(reply.next);
}

function backToLive() {
  if (live) showClaim(live);
  else claimNext();
}

async function skip(reason) {
  skipDialog.close();
  try {
    await call("POST", `assignments/${assignmentId()}/skip`, { reason });
    await claimNext();
  } catch (error) {
    tell(error.message);
  }
}

async function look(query, { orLive = false } = {}) {
  try {
    const found = await call("GET", `campaigns/${desk.dataset.campaign}/mine?html=true&${query}`);
    if (found) showClaim(found.claim, { isLive: false });
    else if (orLive) backToLive();
    else say("There is no earlier answer.");
  } catch (error) {
    tell(error.message);
  }
}

const acts = {
  earlier: () => look(judgmentId() ? `before=${judgmentId()}` : ""),
  later: () => { if (judgmentId()) look(`after=${judgmentId()}`, { orLive: true }); },
  takeBack: () => { if (!judgmentId()) look(""); },
  diff: () => toggle("diff"),
  raw: () => toggle("raw"),
  skip: () => { if (form() && !judgmentId()) skipDialog.showModal(); },
  guidelines: () => {
    guidelines.hidden = !guidelines.hidden;
    desk.querySelector(".desk__tools [data-act=guidelines]").setAttribute("aria-expanded", String(!guidelines.hidden));
    (guidelines.hidden ? document.getElementById("prompt") : guidelines)?.focus();
  },
  fold: () => { const turns = place.querySelector("details"); if (turns) turns.open = !turns.open; },
  reason: () => document.getElementById("reason")?.focus(),
};

function toggle(what) {
  show[what] = !show[what];
  applyShow();
}

function applyShow() {
  for (const what of ["diff", "raw"]) {
    desk.querySelector(`.desk__tools [data-act=${what}]`).setAttribute("aria-pressed", String(show[what]));
  }
  const raws = [...place.querySelectorAll(".side__raw")];
  const asWritten = show.raw || show.diff;
  for (const raw of raws) raw.hidden = !asWritten;
  for (const side of place.querySelectorAll(".side__rendered")) side.hidden = asWritten;
  if (raws.length !== 2) return;
  const texts = raws.map((raw) => raw.textContent);
  if (show.diff) difference(...texts).forEach((parts, index) => mark(raws[index], parts));
  else raws.forEach((raw, index) => { raw.textContent = texts[index]; });
}

function restoreLocalDraft() {
  const kept = JSON.parse(localStorage.getItem(localDraft()) ?? "null");
  if (!kept) return;
  const radio = form().querySelector(`input[value="${CSS.escape(String(kept.choice))}"]`);
  if (radio) radio.checked = true;
  if (form().elements.reason && kept.reason) form().elements.reason.value = kept.reason;
}

function changed() {
  if (judgmentId()) return;
  const draft = { ...answer(), reason: form().elements.reason?.value || undefined };
  localStorage.setItem(localDraft(), JSON.stringify(draft));
  clearTimeout(draftTimer);
  const path = `assignments/${assignmentId()}/draft`;
  draftTimer = setTimeout(async () => {
    showState("saving");
    try {
      await call("PUT", path, draft);
      showState("saved");
    } catch (error) {
      // The copy in this browser stays; a draft is no answer, so nothing is queued.
      document.getElementById("state").textContent = error instanceof Unreachable ? "Draft kept here" : "Draft not saved";
    }
  }, DRAFT_AFTER_MS);
}

function beat() {
  clearTimeout(beatTimer);
  if (judgmentId()) return;
  const every = Math.min(LONGEST_BEAT_MS, (Number(desk.dataset.lease) * 1000) / 3);
  beatTimer = setTimeout(async () => {
    const number = assignmentId();
    if (!number || judgmentId()) return;
    try {
      const lease = await call("POST", `assignments/${number}/heartbeat`);
      if (number === assignmentId() && live) {
        live.assignment.expires_at = lease.expires_at;
        showLease(lease.expires_at);
      }
    } catch (error) {
      if (error instanceof Refused) tell(error.message, "lease");
    }
    if (number === assignmentId()) beat();
  }, every);
}

const KEYS = {
  s: acts.skip, u: acts.takeBack, d: acts.diff, m: acts.raw, i: acts.guidelines, z: acts.fold, c: acts.reason,
  "[": acts.earlier, "]": acts.later,
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat) return;
  if (skipDialog.open) {
    const reason = skipDialog.querySelectorAll("[data-skip]")[Number(event.key) - 1];
    if (reason && !event.ctrlKey && !event.altKey && !event.metaKey) { event.preventDefault(); skip(reason.dataset.skip); }
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const isText = isTyping(event.target) && event.target.type !== "radio";
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit(); return; }
  if (event.key === "Escape") {
    if (isText) event.target.blur();
    else if (!guidelines.hidden) acts.guidelines();
    else if (judgmentId()) backToLive();
    return;
  }
  if (isText || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter") {
    if (event.target.closest("button, a, summary")) return;
    event.preventDefault();
    submit();
  } else if (/^[0-7]$/.test(event.key)) {
    const radio = form()?.querySelector(`input[data-key="${event.key}"]`);
    if (radio) { event.preventDefault(); radio.checked = true; radio.focus({ preventScroll: true }); changed(); }
  } else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

desk.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.act) acts[button.dataset.act]();
  if (button.dataset.skip) skip(button.dataset.skip);
  if (button.dataset.view) {
    desk.dataset.view = button.dataset.view;
    for (const tab of place.querySelectorAll(".item__tabs button")) tab.setAttribute("aria-pressed", String(tab === button));
  }
});

place.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
place.addEventListener("input", (event) => { if (event.target.closest("form.answer")) changed(); });

addEventListener("pagehide", () => {
  if (!live || outbox.entries().length) return;
  const { id, expires_at } = live.assignment;
  call("POST", `assignments/${id}/release`, { expires_at }, { keepalive: true }).catch(() => {});
});

// A page that comes back from the browser's memory has given its item back.
addEventListener("pageshow", (event) => { if (event.persisted) claimNext(); });

if (desk.dataset.start) {
  outbox.flush();
  look(`judgment=${desk.dataset.start}`);
} else claimNext();
