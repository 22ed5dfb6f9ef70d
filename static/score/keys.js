// The keyboard of the screen: one's own keys, the digits, and Esc twice. Does nothing while somebody types.

const TYPING = "textarea, select, .drawer-in input, input:not([type='radio'], [type='checkbox'])";
const OWN = "a, button, summary, input";  // Enter and Space belong to what is in focus
const REPEATS = new Set(["dimension_down", "dimension_up", "turn_down", "turn_up"]);
const TWICE = 600;

/** What is printed on the buttons follows the person's keys; with the keys off nothing is printed. */
export const printKeys = (screen, { on, printed }) => {
  screen.classList.toggle("no-keys", !on);
  if (!printed) return;
  for (const one of screen.querySelectorAll("kbd[data-key]")) one.textContent = printed[one.dataset.key];
  for (const [name, key] of Object.entries(printed)) {
    const input = screen.querySelector(`[name="key.${name}"]`);
    if (input) input.value = key;
  }
};

const blank = (screen, on) => {
  screen.classList.toggle("is-blank", on);
  for (const one of screen.children) one.inert = on;
  if (on) screen.append(Object.assign(document.createElement("h1"), { className: "blank-note", textContent: "Esc brings the screen back" }));
  else screen.querySelector(".blank-note").remove();
};

export const keyboard = (state, current, shared) => {
  let escaped = -TWICE;
  const escape = (event) => {
    const { screen, drawers, stop, isPicking } = current();
    const isTwice = event.timeStamp - escaped < TWICE;
    escaped = event.timeStamp;
    if (screen.classList.contains("is-blank")) {
      escaped = -TWICE;
      return blank(screen, false);
    }
    if (isTwice) return blank(screen, true);
    if (isPicking()) return stop();
    if (!drawers.close() && document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  const actFor = (key) => {
    const record = current();
    if (record.isPicking() && record.picks(key)) return [() => record.pick(key), ""];
    if (/^[0-9]$/.test(key)) return [() => record.digit(key), ""];
    if (key === "y") return [() => record.answer("yes"), ""];
    const name = Object.keys(state.keys).find((one) => state.keys[one] === key);
    const act = record.acts[name] ?? (shared[name] && (() => shared[name](record)));
    return [act, name];
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return escape(event);
    if (!state.on || current().screen.classList.contains("is-blank") || !(event.target instanceof Element)) return;
    if (event.target.closest(TYPING)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((key === "Enter" || key === " ") && event.target.closest(OWN)) return;
    const [act, name] = actFor(key);
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || REPEATS.has(name)) act();
  });
};
