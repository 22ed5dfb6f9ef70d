// The keys, the autosave and the veil of the scoring screen. Keeps no text of a conversation anywhere.
"use strict";
(() => {
  const screen = document.getElementById("screen");
  const form = document.getElementById("scores");
  const acts = document.getElementById("acts");
  if (!screen || !form || !acts) return;
  const saved = document.getElementById("saved");
  const version = form.elements.namedItem("version");
  const dims = [...form.querySelectorAll(".dim")];
  const turns = [...screen.querySelectorAll(".turn")];
  let dim = 0, turn = 0, timer = 0, lastEscape = -1000, busy = null, stopped = false, leaving = false;

  const tell = (words, kind) => { saved.textContent = words; saved.className = `save push save--${kind}`; };

  const toDim = (place) => {
    dim = Math.max(0, Math.min(dims.length - 1, place));
    dims.forEach((one, at) => one.classList.toggle("is-focus", at === dim));
    dims[dim].scrollIntoView({ block: "nearest" });
  };
  const toTurn = (place) => {
    turn = Math.max(0, Math.min(turns.length - 1, place));
    turns.forEach((one, at) => one.classList.toggle("is-focus", at === turn));
    turns[turn].scrollIntoView({ block: "nearest" });
  };

  const save = async () => {
    clearTimeout(timer);
    timer = 0;
    if (busy) await busy;
    if (stopped) return;
    tell("saving", "run");
    busy = send();
    await busy;
    busy = null;
  };
  const send = async () => {
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form) });
      const told = await answer.json();
      if (answer.ok) {
        version.value = told.version;
        tell(`saved ${new Date().toLocaleTimeString("en-GB")}`, "ok");
      } else if (answer.status === 409 && told.version !== undefined) choose(told.version);
      else tell(`not saved: ${told.message}`, "bad");
    } catch {
      tell("not saved: no connection, tried again at the next change", "bad");
    }
  };
  // Saved elsewhere in the meantime: the person chooses which of the two to keep; nothing is overwritten unasked.
  const choose = (theirs) => {
    stopped = true;
    tell("saved elsewhere in the meantime: ", "bad");
    const button = (words, then) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "btn btn--small";
      made.textContent = words;
      made.addEventListener("click", then);
      saved.append(made);
    };
    button("Keep this one", () => { stopped = false; version.value = theirs; save(); });
    button("Load the other", () => location.reload());
  };
  const later = () => {
    if (stopped) return;
    tell("not saved yet", "off");
    clearTimeout(timer);
    timer = setTimeout(save, 600);
  };

  const set = (value) => {
    const input = [...dims[dim].querySelectorAll("input[name^='score.']")].find((one) => one.value === value);
    if (!input) return;
    input.checked = true;
    later();
    toDim(dim + 1);
  };
  const mark = () => {
    const more = document.getElementById("mark-more");
    if (!more) return;
    more.open = true;
    const first = more.querySelector("select");
    first.focus();
    tell(`choose which; turn ${turn + 1} is offered first`, "run");
    for (const one of more.querySelectorAll("select")) {
      const here = [...one.options].find((option) => option.value.endsWith(`@${turn + 1}`));
      if (here) one.insertBefore(here, one.options[1]);
    }
  };
  const veil = () => {
    const on = document.getElementById("veil").getAttribute("aria-pressed") !== "true";
    document.getElementById("veil").setAttribute("aria-pressed", String(on));
    turns.forEach((one) => one.classList.toggle("is-veiled", on));
  };
  const help = () => {
    const text = document.getElementById("key-help");
    text.hidden = !text.hidden;
    document.getElementById("keys").setAttribute("aria-expanded", String(!text.hidden));
  };
  const press = async (act) => {
    if (act !== "skip" && timer) await save();
    acts.querySelector(`[value="${act}"]`).click();
  };
  const submit = () => form.requestSubmit();

  const KEYS = {
    n: () => set("n/a"), u: () => set("unsure"), ArrowDown: () => toDim(dim + 1), ArrowUp: () => toDim(dim - 1),
    j: () => toTurn(turn + 1), k: () => toTurn(turn - 1), x: mark, s: () => press("skip"), f: () => press("flag"),
    z: () => press("undo"), v: veil, "?": help, Enter: submit,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const twice = event.timeStamp - lastEscape < 600;
      lastEscape = event.timeStamp;
      if (screen.classList.contains("is-blank")) screen.classList.remove("is-blank");
      else if (twice) screen.classList.add("is-blank");
      else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return;
    }
    if (screen.classList.contains("is-blank")) return;
    if (event.target.closest("textarea, select, a, button, summary, input[type='checkbox']")) return;
    const act = /^[0-9]$/.test(event.key) ? () => set(event.key) : KEYS[event.key];
    if (!act || event.repeat && !/^Arrow|^[jk]$/.test(event.key)) return;
    event.preventDefault();
    act();
  });
  form.addEventListener("change", later);
  form.addEventListener("input", later);
  form.addEventListener("submit", async (event) => {
    if (leaving) return;
    event.preventDefault();
    leaving = true;
    if (timer) await save();
    else if (busy) await busy;
    if (stopped) { leaving = false; return; }
    stopped = true;
    form.submit();
  });
  turns.forEach((one, place) => one.addEventListener("click", () => toTurn(place)));
  // Only focus by keyboard opens a dimension at once: opening it under a pressed mouse would move the target away.
  dims.forEach((one, place) => one.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) toDim(place); }));
  dims.forEach((one, place) => one.addEventListener("click", () => toDim(place)));
  for (const [id, act] of [["veil", veil], ["keys", help]]) {
    const button = document.getElementById(id);
    button.hidden = false;
    button.addEventListener("click", act);
  }
  const open = dims.findIndex((one) => !one.querySelector("input[name^='score.']:checked"));
  toDim(open < 0 ? 0 : open);
  toTurn(0);
})();
