// The scoring screen: from one record to the next, the keys, the connection. Without this file the plain form works.
import { aheadOf } from "./ahead.js";
import { sending } from "./drawers.js";
import { journalOf } from "./journal.js";
import { keyboard, printKeys } from "./keys.js";
import { post, words } from "./net.js";
import { mount } from "./record.js";

const RETRY = 5_000;
const LEFT = 30_000;  // after so long without a change, what another window left is nobody's at this moment
const first = document.getElementById("screen");
const journal = journalOf(first.dataset.person);
const ahead = aheadOf();
const mounted = new Map();
const outgoing = new Map();  // assignment -> its record and what is to be sent, until the server has it
const state = { keys: JSON.parse(first.dataset.keys), printed: null, on: !first.classList.contains("no-keys") };
let record;

const token = () => record.screen.querySelector("[name='csrfmiddlewaretoken']").value;

/** Take a record's screen to the page; the one before stays in memory until the server has its score. */
const show = (screen, { done = 0 } = {}) => {
  const before = record?.screen;
  if (before && before !== screen) {
    const count = Number(before.querySelector("[data-done]").textContent) + done;
    before.replaceWith(screen);
    if (done) screen.querySelector("[data-done]").textContent = String(count);
    document.querySelector("main > [role='status']")?.remove();
    history.replaceState(null, "", screen.dataset.url);
  }
  const isNew = !mounted.has(screen);
  if (isNew) mounted.set(screen, mount(screen, journal));
  record = mounted.get(screen);
  printKeys(screen, state);
  if (isNew) {
    record.recall();
    wire(record);
  }
  screen.querySelector("[data-talk]").focus({ preventScroll: true });
  ahead.fill(screen);
};

const opened = async (one) => {
  const answer = await post(one.screen.dataset.act, { act: "opened", csrfmiddlewaretoken: token() });
  if (answer.offline || answer.out || (answer.ok && !answer.told.next)) return;
  if (record !== one) return;  // sent on before this answer came: the page is at another record
  one.turns.forget();  // held up since it was read ahead, or past the person's own limit for the day
  location.assign(answer.told.next ?? one.screen.dataset.work);
};

/** An error of this page after the score went out costs nothing: the server's own page goes on from here. */
const leave = (one, job) => go(one, job).catch(async () => {
  await job.sent;
  location.assign(one.screen.dataset.work);
});

/** What was read ahead is shown at once, and the record comes back if the server refuses. */
const go = async (one, job) => {
  if (one.isLeaving) return;
  one.isLeaving = true;
  outgoing.set(one.screen.dataset.assignment, { one, job });
  if (job.keeps) one.saver.keep({ url: job.url, submit: true });
  job.sent = send(one, job);
  const next = await ahead.take(one.screen);
  if (next) show(next, { done: job.done });
  const answer = await job.sent;
  if (!answer.ok) return;
  if (record === one) location.assign(answer.told.next);
  else if (record.screen === next) opened(record);
};

const send = async (one, job) => {
  job.isUnderWay = true;  // never twice at the same time
  await one.saver.settle();
  const answer = await post(job.url, job.data());
  job.isUnderWay = false;
  if (answer.ok) {
    outgoing.delete(one.screen.dataset.assignment);
    mounted.delete(one.screen);
    one.saver.drop();
    if (!record.saver.isDirty()) record.saver.saved();
  } else if (answer.offline) record.saver.offline();
  else comeBack(one, job, answer);
  return answer;
};

const comeBack = (one, job, answer) => {
  outgoing.delete(one.screen.dataset.assignment);
  one.isLeaving = false;
  if (record !== one) {
    ahead.giveBack(record.screen);
    show(one.screen);
  }
  if (job.keeps) one.saver.keep();
  if (answer.status === 409 && answer.told.version !== undefined) {
    return one.saver.choose(answer.told.version, () => leave(one, job));
  }
  one.steps.complain(answer.told.errors ?? []);
  one.saver.tell(answer.told.errors?.[0]?.message ?? words(answer), "bad");
};

const submit = (one) => {
  if (one.saver.isStopped()) return;
  const [missing] = one.steps.left();
  if (missing) {
    one.steps.toStep(missing[0]);
    missing[0].querySelector("textarea")?.focus();
    return one.saver.tell(missing[1], "bad");
  }
  leave(one, { url: one.screen.dataset.submit, data: one.saver.data, done: 1, keeps: true });
};
const skip = (one) => {
  one.saver.drop();
  leave(one, { url: one.screen.dataset.act, data: () => ({ act: "skip", csrfmiddlewaretoken: token() }), done: 0 });
};
const flag = async (one) => {
  const answer = await post(one.screen.dataset.act, { act: "flag", csrfmiddlewaretoken: token() });
  if (!answer.ok) return answer.offline ? one.saver.offline() : one.saver.tell(words(answer), "bad");
  const button = one.screen.querySelector("[value='flag']");
  button.setAttribute("aria-pressed", String(answer.told.flagged));
  button.querySelector("[data-words]").textContent = answer.told.flagged ? "Flagged" : "Flag";
};
const undo = async (one) => {
  if (one.undo()) return;
  await Promise.all([...outgoing.values()].map(({ job }) => job.sent));
  const answer = await post(one.screen.dataset.act, { act: "undo", csrfmiddlewaretoken: token() });
  if (answer.ok) location.assign(answer.told.next);
  else if (answer.offline) one.saver.offline();
  else one.saver.tell(words(answer), "bad");
};

const wire = (one) => {
  const form = one.screen.querySelector("#scores");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try { submit(one); } catch { form.submit(); }  // an error of this file never costs a score
  });
  for (const acts of one.screen.querySelectorAll("[data-acts]")) {
    acts.addEventListener("submit", (event) => {
      event.preventDefault();
      ({ skip, flag, undo })[event.submitter.value](one);
    });
  }
  const text = one.screen.querySelector("[data-talk]");
  sending(one.drawers.get("escalate"), {
    before: () => { text.hidden = true; },
    failed: () => { text.hidden = false; },
    then: ({ next }) => { one.turns.forget(); one.saver.drop(); location.assign(next); },
  });
  sending(one.drawers.get("keys"), {
    then: ({ on, keys, printed }) => { Object.assign(state, { on, keys, printed }); printKeys(one.screen, state); one.drawers.close(); },
  });
};

/** What is still in the journal goes out: records of this page first, then what an earlier page left. */
const flush = async () => {
  for (const { one, job } of [...outgoing.values()]) {
    if (job.isUnderWay) continue;
    job.sent = send(one, job);
    const answer = await job.sent;
    if (answer.ok && record === one) return location.assign(answer.told.next);
    if (answer.offline) return;
  }
  for (const [id, entry] of journal.all()) {
    if (outgoing.has(id)) continue;
    if (id === record.screen.dataset.assignment) { if (!record.saver.isDirty() && !record.saver.isStopped()) await record.saver.now(); continue; }
    // Another window may be writing it at this moment; and what was refused once waits for the person.
    if (entry.refused || Date.now() - entry.at < LEFT) continue;
    const body = new URLSearchParams([...entry.fields, ["csrfmiddlewaretoken", token()]]);
    const answer = await post(entry.url, body);
    if (answer.ok) journal.drop(id);
    else if (!answer.offline && !answer.out) {
      journal.keep(id, { ...entry, refused: true });
      record.saver.tell("an earlier record was not taken, and is kept here: open it again", "off");
    }
  }
};

show(first);
keyboard(state, () => record, { submit, skip, flag, undo });
addEventListener("online", flush);
setInterval(() => { if (outgoing.size || journal.all().length) flush(); }, RETRY);
