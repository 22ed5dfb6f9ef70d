// Critical fails, or identifiers seen: each is tied to a turn, chosen in place. None is ever chosen by itself.

export const marksOf = (screen, currentTurn, turns) => {
  const step = screen.querySelector("[data-step='marks']");
  if (!step) return { step: null, title: "", answered: () => true, count: () => 0, read: () => [], write: () => {}, picks: () => false, pick: () => {}, start: () => false, stop: () => {}, onChange: () => {} };
  const form = screen.querySelector("#scores");
  const field = step.dataset.field;
  const title = step.querySelector("legend").textContent.trim();
  const list = step.querySelector("[data-marks]");
  const help = step.querySelector("[data-help]");
  const buttons = [...step.querySelectorAll("[data-mark]")];
  const texts = new Map([...step.querySelectorAll("[data-plain] select")].map((one) => [one.id.slice(2), one.dataset.text]));
  let picking = false, changed = () => {};
  let marks = [...step.querySelectorAll("[data-plain] input:checked")].map((one) => one.value);  // "none", or "C4@6"

  step.querySelector("[data-plain]").remove();
  step.querySelector("[data-crit]").hidden = false;

  const hidden = (value) => Object.assign(document.createElement("input"), { type: "hidden", name: field, value });
  const row = (value) => {
    const [id, turn] = value.split("@");
    const made = document.createElement("li");
    const name = Object.assign(document.createElement("b"), { textContent: `${id.replaceAll("_", " ")} ` });
    const choose = document.createElement("select");
    choose.setAttribute("aria-label", `Turn of ${id}`);
    for (let place = 1; place <= turns; place++) choose.append(new Option(`turn ${place}`, String(place), false, String(place) === turn));
    choose.addEventListener("change", (event) => { event.stopPropagation(); put(marks.map((one) => (one === value ? `${id}@${choose.value}` : one))); });
    const away = Object.assign(document.createElement("button"), { type: "button", className: "btn btn--small", textContent: "Remove" });
    away.setAttribute("aria-label", `Remove ${id} at turn ${turn}`);
    away.addEventListener("click", () => put(marks.filter((one) => one !== value)));
    const what = Object.assign(document.createElement("span"), { className: "small", textContent: texts.get(id) ?? "" });
    made.append(name, choose, away, what, hidden(value));
    return made;
  };
  const show = () => {
    list.replaceChildren(...marks.filter((one) => one !== "none").map(row));
    if (marks.includes("none")) list.append(hidden("none"));
    for (const one of buttons) {
      const isOn = marks.some((mark) => mark.split("@")[0] === one.dataset.mark);
      one.setAttribute("aria-pressed", String(isOn));
    }
  };
  const put = (wanted) => {
    marks = [...new Set(wanted)];
    show();
    changed();
  };
  const toggle = (id) => {
    stop();
    if (id === "none") return put(marks.includes("none") ? [] : ["none"]);
    const others = marks.filter((one) => one !== "none");
    const here = others.find((one) => one === `${id}@${currentTurn()}`);
    put(here ? others.filter((one) => one !== here) : [...others, `${id}@${currentTurn()}`]);
  };
  const start = () => {
    picking = true;
    step.classList.add("is-picking");
    help.hidden = false;
    help.textContent = `Which, at turn ${currentTurn()}? Press its key; Esc leaves it.`;
    for (const one of buttons) if (one.dataset.pick && !one.querySelector("kbd")) one.append(Object.assign(document.createElement("kbd"), { textContent: one.dataset.pick.toUpperCase() }));
    return true;
  };
  const stop = () => {
    picking = false;
    step.classList.remove("is-picking");
    help.hidden = true;
    buttons.forEach((one) => { if (one.dataset.pick) one.querySelector("kbd")?.remove(); });
  };
  const picked = (key) => buttons.find((one) => one.dataset.pick === key);
  const pick = (key) => toggle(picked(key).dataset.mark);
  buttons.forEach((one) => one.addEventListener("click", () => toggle(one.dataset.mark)));
  form.addEventListener("focusin", (event) => { if (!step.contains(event.target)) stop(); });
  show();

  return {
    step, title, pick, start, stop,
    picks: (key) => Boolean(picked(key)),
    none: () => toggle("none"),
    picking: () => picking,
    answered: () => marks.length > 0,
    count: () => marks.filter((one) => one !== "none").length,
    read: () => [...marks],
    write: (wanted) => { marks = [...wanted]; show(); },
    onChange: (then) => { changed = then; },
  };
};
