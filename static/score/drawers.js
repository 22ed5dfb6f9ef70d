// Guideline, keys and escalation: panels that stand beside the conversation. They open without script too.
import { post, words } from "./net.js";

const searchIn = (drawer) => {
  const box = drawer.querySelector("[data-search]");
  if (!box) return;
  const input = box.querySelector("input"), found = box.querySelector("[data-found]");
  const lines = [...drawer.querySelectorAll(".guide p, .guide li, .guide h3")];
  box.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    lines.forEach((one) => { one.hidden = Boolean(wanted) && !one.textContent.toLowerCase().includes(wanted); });
    const count = lines.filter((one) => !one.hidden).length;
    found.textContent = !wanted ? "" : count ? `${count} place${count > 1 ? "s" : ""}` : "nothing found; try another word";
  });
};

export const drawersOf = (screen) => {
  const all = new Map([...screen.querySelectorAll("[data-drawer]")].map((one) => [one.dataset.drawer, one]));
  const close = () => {
    const open = [...all.values()].find((one) => one.open);
    if (!open) return false;
    open.open = false;
    open.querySelector("summary").focus({ preventScroll: true });
    return true;
  };
  const enter = (one) => {
    for (const other of all.values()) if (other !== one) other.open = false;
    if (!one.querySelector(".drawer-in").contains(document.activeElement)) {
      one.querySelector(".drawer-in input:not([type='hidden']), .drawer-in textarea")?.focus();
    }
  };
  for (const one of all.values()) {
    const button = one.querySelector("[data-close]");
    button.hidden = false;
    button.addEventListener("click", close);
    searchIn(one);
    one.addEventListener("toggle", () => { if (one.open) enter(one); });
  }
  return {
    close, get: (name) => all.get(name),
    // At once, before the browser says so: the next key is typed into the drawer, it is no act.
    toggle: (name) => { const one = all.get(name); if (one.open) close(); else { one.open = true; enter(one); } },
  };
};

/** Sends a drawer's form; ``then`` gets the answer, a refusal is told in the drawer and what was typed stays. */
export const sending = (drawer, { before = () => {}, then, failed = () => {} }) => {
  const form = drawer.querySelector("form"), wrong = form.querySelector("[data-wrong]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    before();
    const answer = await post(form.action, new FormData(form));
    if (answer.ok) return then(answer.told);
    failed();
    wrong.hidden = false;
    wrong.textContent = answer.offline ? "Offline: nothing was sent. Try again when the connection is back." : words(answer);
  });
};
