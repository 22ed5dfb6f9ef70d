// Keeps what is typed: in the journal at once, on the server a moment later, and says at every time which it is.
import { post, words } from "./net.js";

const clock = () => new Date().toLocaleTimeString("en-GB");
const PAUSE = 600;

export const saverOf = (screen, journal) => {
  const form = screen.querySelector("#scores");
  const pill = screen.querySelector("[data-saved]");
  const version = form.elements.namedItem("version");
  const id = screen.dataset.assignment;
  let timer = 0, busy = null, stopped = false;

  const tell = (text, kind) => { pill.textContent = text; pill.className = `save push save--${kind}`; };
  const saved = () => tell(`saved ${clock()}`, "ok");
  const offline = () => tell(`offline, ${journal.all().length} kept here`, "off");
  const fields = () => [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const keep = (more = {}) => journal.keep(id, { url: screen.dataset.draft, fields: fields(), at: Date.now(), ...more });

  const send = async () => {
    clearTimeout(timer);
    timer = 0;
    tell("saving…", "run");
    const answer = await post(screen.dataset.draft, new FormData(form));
    if (answer.ok) {
      version.value = answer.told.version;
      if (timer) return keep();  // changed again in the meantime: the journal is ahead, on this version
      journal.drop(id);
      saved();
    } else if (answer.offline) offline();
    else if (answer.status === 409 && answer.told.version !== undefined) choose(answer.told.version, now);
    else tell(`not saved: ${words(answer)}`, "bad");
  };
  const now = async () => {
    while (busy) await busy;
    if (stopped) return;
    busy = send().finally(() => { busy = null; });
    await busy;
  };
  /** Saved elsewhere in the meantime: the person chooses which of the two to keep; nothing is overwritten unasked. */
  const choose = (theirs, then) => {
    stopped = true;
    clearTimeout(timer);
    tell("saved elsewhere in the meantime: ", "bad");
    const button = (text, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn--small", textContent: text });
      made.addEventListener("click", act);
      pill.append(made);
    };
    button("Keep this one", () => { stopped = false; version.value = theirs; then(); });
    button("Load the other", () => { journal.drop(id); location.reload(); });
  };
  const later = () => {
    if (stopped) return;
    keep();
    tell("not saved yet", "off");
    clearTimeout(timer);
    timer = setTimeout(now, PAUSE);
  };
  /** No autosave any more, and none under way: what follows takes the whole. */
  const settle = async () => {
    clearTimeout(timer);
    timer = 0;
    while (busy) await busy;
  };

  return {
    tell, saved, offline, fields, keep, later, now, settle, choose,
    version, data: () => new FormData(form),
    isStopped: () => stopped, isDirty: () => Boolean(timer),
    drop: () => { clearTimeout(timer); timer = 0; journal.drop(id); },
  };
};
