// The annotator's desk: shows an item, takes the answer, and swaps in the next one that comes with the reply.
//
// What is asked is the business of a kind: the module kinds/<kind>.js and the fragment templates/annotation/kinds/<kind>.html,
// which stands inside <form class="answer">, before the buttons that every kind shares. For every item the desk puts the
// HTML in place and calls
//
//     export function mount(form, desk) -> {
//       read()        the body of POST assignments/ID/judgment, or null while something is missing
//       missing()     a sentence that says what is missing
//       draft()       all that is in the form, as a JSON object; half an answer is welcome
//       fill(draft)   puts into the form what draft() gave, or the payload of an answer that stands. What it does not name
//                     is emptied; a text field is written only where its value differs, which keeps the browser's own undo
//       act(name)     does what the action means; true when it meant something here
//       questions()   the elements that are asked one by one, in order: a fieldset or [role=radiogroup], or one control
//       painted()     optional: the texts were put anew (as written, differences), so that marks on them are made again
//       answered()    optional: the answer was taken; whatever lives outside the form goes
//     }
//
// and gives it
//
//     desk.item          item of the claim: id, unit, prompt, responses in the order shown, response_a, response_b, draft
//     desk.assignment    its assignment: id, expires_at, order
//     desk.settings      the campaign's settings
//     desk.isRevision    whether an earlier answer is looked at again
//     desk.article       the element of the whole item. A side is .side[data-response=ID]; its text as written is .side__raw
//     desk.signal        aborted when the item goes; pass it to every listener that is not on the form
//     desk.changed()     call it after each change that no `input` event of the form tells
//     desk.question()    the question that digits answer now: the one with the focus, or that had it last, or the first
//     desk.move(step)    focus the question 1 further on, or -1 back
//     desk.stepOn()      the same after an answer by key; a "next question" right after it has then been obeyed already
//     desk.showAsWritten()  for marks on the text as written
//     desk.keyOf(action) the person's own key for an action, to name it in words
//     desk.say(words)    to a screen reader; desk.tell(words) to everybody
//
// Actions are names. Which key asks for which action is in annotation/desk/keys.py and in a person's own bindings, never
// in a kind: choose1..choose7, bothBad, bothGood, yes, no, notApplicable, digit0..digit9, moveUp, moveDown, tie,
// highlightGood, highlightBad, removeHighlight. A fragment writes <kbd data-key-of="choose1">1</kbd>, and the desk puts the
// person's own key there. The desk's own actions come first (`acts` below).
import { toggleTheme } from "../frame.js";
import { Refused, Unreachable, call } from "./api.js";
import { ActiveClock } from "./clock.js";
import { Drafts } from "./drafts.js";
import { Bindings, isTextField } from "./keys.js";
import { Lease } from "./lease.js";
import { hush, say, showState, tell } from "./notices.js";
import { Outbox } from "./outbox.js";
import { ReasonDialog } from "./reasons.js";
import { OtherTabs } from "./tabs.js";
import { UndoToast } from "./toast.js";
import { FormHistory } from "./undo.js";
import { View } from "./view.js";

const AUTO_ADVANCE_MS = 350;
const TRY_AGAIN_MS = 4000;
// Why somebody gets no work at all, whatever is left.
const NO_WORK = new Set(["not_invited", "not_qualified", "not_ready"]);

const desk = document.getElementById("content");
const place = document.getElementById("item");
const guidelines = document.getElementById("guidelines");
const feedback = document.getElementById("feedback");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const { user, campaign } = desk.dataset;
const settings = read("desk-settings");
const bindings = new Bindings(read("desk-keys"));
const kindModule = await import(desk.dataset.kindModule);
const clock = new ActiveClock();

let count = Number(desk.dataset.mine);
let shown = null; // the claim on the screen
let live = null; // the claim that is to be judged, kept while an old answer is looked at
let kind = null;
let forms = null; // what was in the form before, for Ctrl+Z
let lastQuestion = null;
let steppedTo = null; // the question that an answer by key led to
let itemGone = new AbortController();
let advanceTimer;
let isBusy = false;
let afterFeedback = null;

const refusedPrefix = `winnow.refused.${user}.`;
const judgmentId = () => shown?.judgment?.id ?? null;
const draftName = () => (judgmentId() ? `j${judgmentId()}` : String(shown.assignment.id));

const outbox = new Outbox(user, { onChange: showSending, onRefused: keepRefused });
const drafts = new Drafts(user, { onGone: (error) => tell(error.message, { kind: "draft", acts: [["Go on to the next item", claimNext]] }) });
const view = new View(desk, place, { onPainted: () => kind?.painted?.() });
const toast = new UndoToast(document.getElementById("undo"), { onUndo: (judgment) => look(`judgment=${judgment}`) });
const lease = new Lease({
  seconds: Number(desk.dataset.lease),
  isThere: (ms) => clock.idleMs < ms,
  onEnded: (error) => tell(`${error.message} Submitting still works if nobody has taken the place.`, { kind: "lease", acts: [["Go on to the next item", claimNext]] }),
});
const tabs = new OtherTabs(user, {
  onAnswered: () => { if (!isBusy) tell("You answered or skipped this item in another tab.", { acts: [["Go on to the next item", claimNext]] }); },
});
const skipDialog = new ReasonDialog(document.getElementById("skip"), { onChosen: ({ reason, note }) => skip(reason || note) });
const flagDialog = new ReasonDialog(document.getElementById("flag"), { onChosen: flag });

function showSending(state, waiting, error) {
  showState(state, waiting);
  if (state !== "offline") return hush("offline");
  if ([401, 403].includes(error.status)) {
    const login = () => open(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`);
    return tell("You are logged out. Your answer is kept in this browser; log in in another tab and it is sent.", { kind: "offline", acts: [["Log in", login]] });
  }
  return tell("The server cannot be reached. Your answer is kept in this browser and is sent as soon as it can be.", { kind: "offline" });
}

// An answer from an earlier visit that the server does not take. Nobody else has it, so it stays until it is thrown away.
function keepRefused(error, entry) {
  localStorage.setItem(`${refusedPrefix}${entry.at}`, JSON.stringify({ message: error.message, body: entry.body }));
  showRefused();
}

function showRefused() {
  const [name] = Object.keys(localStorage).filter((key) => key.startsWith(refusedPrefix)).sort();
  if (!name) return;
  const { message, body } = JSON.parse(localStorage.getItem(name));
  const throwAway = () => { localStorage.removeItem(name); showRefused(); };
  tell(`${message} An answer that waited in this browser was not stored.`, { kind: "refused", detail: JSON.stringify(body, null, 2), acts: [["Throw it away", throwAway]] });
}

/* The item on the screen */

function showClaim(claim, judgment = null, refusal = null) {
  leaveItem();
  shown = claim && { ...claim, judgment };
  if (!judgment) live = claim;
  const nothing = document.getElementById("nothing");
  place.setAttribute("aria-busy", "false");
  place.hidden = !claim;
  nothing.hidden = Boolean(claim);
  if (!judgment) {
    lease.hold(claim?.assignment ?? null);
    tabs.show(claim?.assignment.id ?? null);
  }
  document.getElementById("count").textContent = judgment ? "an earlier answer" : count + Boolean(claim);
  if (!claim) return showNothing(nothing, refusal);
  place.innerHTML = claim.html;
  mountKind();
  clock.restart();
  scrollTo(0, 0);
  document.getElementById("prompt").focus({ preventScroll: true });
  return say(judgment ? "An earlier answer of yours." : "Next item.");
}

function leaveItem() {
  itemGone.abort();
  itemGone = new AbortController();
  clearTimeout(advanceTimer);
  drafts.stop();
  kind = forms = lastQuestion = steppedTo = shown = null;
}

function showNothing(nothing, refusal) {
  for (const part of nothing.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "refused") !== Boolean(refusal);
  nothing.querySelector("[data-refusal]").textContent = refusal?.message ?? "";
  place.replaceChildren();
  document.getElementById("done").textContent = count;
  nothing.focus();
  say(refusal?.message ?? "Nothing is left for you here.");
}

function mountKind() {
  const form = place.querySelector("form.answer");
  kind = kindModule.mount(form, {
    item: shown.item,
    assignment: shown.assignment,
    settings,
    isRevision: Boolean(judgmentId()),
    article: place.querySelector(".item"),
    signal: itemGone.signal,
    changed: () => changed(),
    question,
    move: moveQuestion,
    stepOn,
    showAsWritten: () => view.set("raw", true),
    keyOf: (name) => bindings.keyOf(name),
    say,
    tell,
  });
  for (const mark of place.querySelectorAll("[data-key-of]")) mark.textContent = bindings.keyOf(mark.dataset.keyOf) ?? mark.textContent;
  fillForm();
  forms = new FormHistory(kind.draft());
  view.open();
}

function fillForm() {
  const fromServer = shown.item.draft ?? shown.judgment?.payload;
  const own = drafts.kept(draftName());
  if (own ?? fromServer) kind.fill(own?.draft ?? fromServer);
  const savedAt = shown.item.draft_saved_at;
  if (!judgmentId() && drafts.isOlderThan(draftName(), shown.item.draft, savedAt)) {
    const time = new Date(savedAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const use = () => { kind.fill(fromServer); changed(); };
    tell(`A newer draft of this item was made elsewhere at ${time}.`, { kind: "draft", acts: [["Use that one", use], ["Keep this one", () => changed()]] });
  }
}

function changed({ field = null } = {}) {
  const state = kind.draft();
  forms.note(state, { field });
  hush("problem");
  drafts.keep(draftName(), state, { path: judgmentId() ? null : `assignments/${shown.assignment.id}/draft` });
  advanceSoon(field);
}

// Where the campaign goes on by itself: once the answer is whole, unless it is being written.
function advanceSoon(field) {
  clearTimeout(advanceTimer);
  if (!settings.auto_advance || field || judgmentId() || !kind.read()) return;
  advanceTimer = setTimeout(submit, AUTO_ADVANCE_MS);
}

function stepBack(state) {
  clearTimeout(advanceTimer);
  if (!state) return say("Nothing to undo here.");
  kind.fill(state);
  drafts.keep(draftName(), state, { path: judgmentId() ? null : `assignments/${shown.assignment.id}/draft` });
  return say("Undone.");
}

/* Questions */

function question() {
  const all = kind?.questions() ?? [];
  const focused = all.find((one) => one.contains(document.activeElement));
  if (focused) lastQuestion = focused;
  return all.includes(lastQuestion) ? lastQuestion : all[0] ?? null;
}

// Whoever answers and presses "next question" gets where they would have got without this.
function stepOn() {
  steppedTo = null;
  moveQuestion(1);
  steppedTo = question();
}

function moveQuestion(step) {
  const isThere = step === 1 && steppedTo !== null && steppedTo === question();
  steppedTo = null;
  if (isThere) return;
  const all = kind?.questions() ?? [];
  // A text field that was left by Esc is where one was.
  const isLeft = document.activeElement === document.body && all.includes(lastQuestion);
  const isFocused = isLeft || all.some((one) => one.contains(document.activeElement));
  const from = all.indexOf(question());
  const next = all[isFocused ? Math.min(all.length - 1, Math.max(0, from + step)) : from];
  if (!next) return;
  const control = next.matches("input, select, textarea, button, [tabindex]") ? next : next.querySelector("input:checked, input, select, textarea, button, [tabindex]");
  control?.focus();
  control?.scrollIntoView({ block: "nearest" });
}

/* Getting work, and answering */

async function claimNext() {
  try {
    await outbox.flush();
    if (outbox.entries().length) return void setTimeout(claimNext, TRY_AGAIN_MS);
    hush();
    showClaim(await call("POST", `campaigns/${campaign}/claim?html=true`));
  } catch (error) {
    if (error instanceof Unreachable) {
      tell(`${error.message} Trying again in a few seconds.`);
      setTimeout(claimNext, TRY_AGAIN_MS);
    } else if (error instanceof Refused && NO_WORK.has(error.code)) showClaim(null, null, error);
    else if (error instanceof Refused) tell(error.message);
    else throw error;
  }
  return undefined;
}

async function submit() {
  clearTimeout(advanceTimer);
  if (isBusy || !kind) return;
  const body = kind.read();
  if (!body) {
    tell(kind.missing());
    moveQuestion(0);
    return;
  }
  hush();
  drafts.stop();
  const [old, name, assignment] = [judgmentId(), draftName(), shown.assignment.id];
  const path = old ? `judgments/${old}/revise` : `assignments/${assignment}/judgment?html=true`;
  setBusy(true);
  const { reply, refused } = await outbox.add(path, { ...body, seconds: clock.seconds });
  setBusy(false);
  if (refused) return void explain(refused, old);
  drafts.forget(name);
  kind.answered?.();
  if (!reply) return void claimNext();
  if (old) return void backToLive();
  tabs.answered(assignment);
  count += 1;
  goOn(reply);
}

function setBusy(isOn) {
  isBusy = isOn;
  place.querySelector("form.answer")?.setAttribute("aria-busy", String(isOn));
}

function goOn(reply) {
  const onward = () => showClaim(reply.next, null, reply.refusal);
  // What was expected has been seen, so a training answer is not taken back.
  if (reply.feedback) {
    lease.hold(reply.next?.assignment ?? null);
    return showFeedback(reply.feedback, onward);
  }
  toast.offer(reply.judgment.id);
  return onward();
}

// The form stays as it is, with the draft in it.
function explain(error, old) {
  const next = ["Go on to the next item", old ? backToLive : claimNext];
  const advice = error.status === 422 ? "Change it and submit again; what you wrote is still here." : "What you wrote is still here, and kept in this browser.";
  const acts = error.status === 422 ? [] : [next];
  if (error.code === "already_answered") acts.unshift(["Open the stored answer", () => look("")]);
  tell(`${error.message} ${advice}`, { acts, detail: error.status === 422 ? "" : JSON.stringify(kind.draft(), null, 2) });
  if (error.status !== 422 && !old) drafts.keep(draftName(), kind.draft());
}

function showFeedback({ is_right: isRight, expected, explanation, html }, then) {
  feedback.dataset.right = String(isRight);
  feedback.querySelector("[data-verdict]").textContent = isRight ? "As expected" : "Another answer was expected";
  feedback.querySelector("[data-expected]").textContent = isRight || html ? "" : expected ?? "";
  const words = feedback.querySelector("[data-words]");
  if (html) words.innerHTML = html;
  else words.textContent = explanation ?? "";
  afterFeedback = () => { afterFeedback = null; feedback.hidden = true; then(); };
  place.inert = true;
  feedback.hidden = false;
  feedback.focus();
}

function leaveFeedback() {
  place.inert = false;
  afterFeedback?.();
}

function backToLive() {
  hush();
  if (live) showClaim(live);
  else claimNext();
}

async function look(query, { orLive = false } = {}) {
  try {
    const found = await call("GET", `campaigns/${campaign}/mine?html=true&${query}`);
    if (found) showClaim(found.claim, found.judgment);
    else if (orLive) backToLive();
    else say("There is no earlier answer.");
  } catch (error) {
    tell(error.message);
  }
}

/* Skip and flag */

async function skip(reason) {
  const { id } = shown.assignment;
  try {
    await call("POST", `assignments/${id}/skip`, { reason });
    sessionStorage.setItem("winnow.skipped", id);
    drafts.stop();
    tabs.answered(id);
    count += 1;
    await claimNext();
  } catch (error) {
    tell(error.message);
  }
}

async function takeSkipBack() {
  const id = sessionStorage.getItem("winnow.skipped");
  if (!id) return say("You have skipped nothing here.");
  try {
    showClaim(await call("POST", `assignments/${id}/unskip?html=true`));
    count -= 1;
    document.getElementById("count").textContent = count + 1;
    hush();
    sessionStorage.removeItem("winnow.skipped");
  } catch (error) {
    tell(error.message);
  }
  return undefined;
}

async function flag({ reason, note }) {
  try {
    await call("POST", `assignments/${shown.assignment.id}/flag`, { reason, note });
    say("Flagged for the curator.");
    tell("Flagged for the curator. You can still answer it.", { kind: "flag" });
  } catch (error) {
    tell(error.message);
  }
}

/* Actions */

function toggleGuidelines() {
  guidelines.hidden = !guidelines.hidden;
  desk.querySelector(".desk__tools [data-act=guidelines]").setAttribute("aria-expanded", String(!guidelines.hidden));
  (guidelines.hidden ? document.getElementById("prompt") : guidelines)?.focus();
}

const acts = {
  submit: () => submit(),
  nextQuestion: () => moveQuestion(1),
  previousQuestion: () => moveQuestion(-1),
  focusA: () => view.focusSide(0),
  focusB: () => view.focusSide(1),
  scroll: () => view.scroll(1),
  scrollBack: () => view.scroll(-1),
  diff: () => view.toggle("diff"),
  raw: () => view.toggle("raw"),
  fold: () => view.foldAll(),
  width: () => view.changeWidth(),
  scrollLock: () => view.changeScroll(),
  justification: () => place.querySelector("[data-justification], #reason")?.focus(),
  guidelines: toggleGuidelines,
  theme: toggleTheme,
  flag: () => { if (kind) flagDialog.ask(); },
  skip: () => { if (kind && !judgmentId()) skipDialog.ask(); },
  takeSkipBack,
  undo: () => { if (!toast.undo()) say("The time to undo is over; your earlier answers are still there to change."); },
  earlier: () => look(judgmentId() ? `before=${judgmentId()}` : ""),
  later: () => { if (judgmentId()) look(`after=${judgmentId()}`, { orLive: true }); },
  keys: () => document.getElementById("keys-dialog").showModal(),
  unfold: (button) => view.toggleFold(button.closest("[data-fold]")),
  goOn: leaveFeedback,
};

// The desk's own first; true when somebody did something.
function act(name) {
  if (name !== "nextQuestion") steppedTo = null;
  if (Object.hasOwn(acts, name)) {
    acts[name]();
    return true;
  }
  return Boolean(kind?.act(name));
}

// What changes nothing, and so goes on while an answer is on its way.
const LOOKING = new Set(["focusA", "focusB", "scroll", "scrollBack", "diff", "raw", "fold", "width", "scrollLock", "guidelines", "theme", "unfold", "keys"]);
const REPEATING = new Set(["scroll", "scrollBack", "nextQuestion", "previousQuestion"]);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const isChord = event.ctrlKey || event.metaKey;
  if (event.key === "Enter") return enter(event, isChord);
  if (event.key === "Escape") return escape(event.target);
  if (isTextField(event.target) || afterFeedback) return undefined;
  if (isChord && event.key.toLowerCase() === "z" && forms) {
    event.preventDefault();
    return stepBack(event.shiftKey ? forms.redo() : forms.undo());
  }
  const asked = bindings.asked(event).filter((name) => !event.repeat || REPEATING.has(name));
  if (event.key === " " && event.target.closest("button, a, summary, input:not(:checked)")) return undefined;
  if (asked.filter((name) => !isBusy || LOOKING.has(name)).some(act)) event.preventDefault();
  return undefined;
});

function enter(event, isChord) {
  const isPlain = !isChord && !event.altKey && !event.shiftKey;
  const isElsewhere = isTextField(event.target) || event.target.closest("button, a, summary");
  if (!isChord && (!isPlain || isElsewhere)) return;
  event.preventDefault();
  if (event.repeat) return;
  if (afterFeedback) leaveFeedback();
  else if (isChord || !settings.auto_advance || judgmentId()) submit();
}

function escape(target) {
  if (isTextField(target)) target.blur();
  else if (!guidelines.hidden) toggleGuidelines();
  else if (judgmentId()) backToLive();
}

desk.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { act: name, view: side } = button.dataset;
  if (name && (!isBusy || LOOKING.has(name))) acts[name]?.(button);
  if (side) view.show(side);
});

place.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
place.addEventListener("focusin", () => question());
place.addEventListener("input", (event) => {
  if (kind && event.target.closest("form.answer")) changed({ field: isTextField(event.target) ? event.target.name || event.target.id : null });
});

addEventListener("pagehide", () => {
  tabs.leave();
  if (!live || outbox.entries().length || tabs.isShownElsewhere(live.assignment.id)) return;
  const { id, expires_at } = live.assignment;
  call("POST", `assignments/${id}/release`, { expires_at }, { keepalive: true }).catch(() => {});
});

// A page that comes back from the browser's memory has given its item back.
addEventListener("pageshow", (event) => { if (event.persisted) claimNext(); });

showRefused();
if (desk.dataset.start) {
  outbox.flush();
  look(`judgment=${desk.dataset.start}`);
} else claimNext();
