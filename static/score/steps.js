// The form's steps: dimensions, marks, note. One is in focus; nothing is chosen unless the person chose it.

export const stepsOf = (screen, marks) => {
  const form = screen.querySelector("#scores");
  const all = [...form.querySelectorAll("[data-step]")];
  const dims = all.filter((one) => one.classList.contains("dim"));
  const stepper = screen.querySelector("[data-stepper]");
  const note = form.elements.namedItem("note");
  const cannot = form.elements.namedItem("cannot_judge");
  let at = 0;

  const value = (dim) => dim.querySelector("input[name^='score.']:checked")?.value ?? "";
  const asks = (dim) => value(dim) === "n/a" && dim.querySelector(".false-alarm") && !dim.querySelector(".false-alarm :checked");
  const isBelow = (dim) => /^\d+$/.test(value(dim)) && Number(value(dim)) < Number(dim.dataset.minimum);
  const needsNote = () => note && !note.value.trim() && (dims.some(isBelow) || marks.count() > 0);

  /** What is missing, as [step, words], the first one first. */
  const left = () => {
    if (cannot?.checked) return [];
    const unset = dims.filter((dim) => !value(dim));
    const asked = dims.filter(asks);
    return [
      ...(unset.length ? [[unset[0], `${unset.length} dimension${unset.length > 1 ? "s" : ""} left`]] : []),
      ...asked.map((dim) => [dim, "answer yes or no"]),
      ...(marks.answered() ? [] : [[marks.step, `${marks.title.toLowerCase()}: not answered`]]),
      ...(needsNote() ? [[note.closest("[data-step]"), "a note is needed"]] : []),
    ];
  };
  const isSet = (step) => {
    if (step.classList.contains("dim")) return Boolean(value(step)) && !asks(step);
    return step === marks.step ? marks.answered() : Boolean(note?.value.trim()) || Boolean(cannot?.checked);
  };

  const show = () => {
    all.forEach((one, place) => {
      one.classList.toggle("is-focus", place === at);
      const link = stepper.children[place];
      link.classList.toggle("is-set", isSet(one));
      link.querySelector(".vh").textContent = isSet(one) ? " answered" : "";
      if (place === at) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    const missing = left();
    const todo = missing.length ? missing.map(([, words]) => words).slice(0, 2).join(", ") : "all answered";
    for (const one of screen.querySelectorAll("[data-todo]")) one.textContent = todo;
  };
  const to = (place) => {
    at = Math.max(0, Math.min(all.length - 1, place));
    show();
    all[at].scrollIntoView({ block: "nearest" });
  };
  const toStep = (step) => to(all.indexOf(step));

  /** Score the dimension in focus and move on; a question after n/a is answered before. Tells whether it fits. */
  const set = (wanted) => {
    const dim = all[at];
    if (!dim.classList.contains("dim")) return false;
    const inputs = [...dim.querySelectorAll("input[name^='score.']")];
    // 0 stands for 10 where the scale has no 0.
    const input = inputs.find((one) => one.value === wanted) ?? (wanted === "0" && inputs.find((one) => one.value === "10"));
    if (!input) return false;
    input.checked = true;
    clear(dim);
    if (asks(dim)) show();
    else to(at + 1);
    return true;
  };
  const answer = (wanted) => {
    const dim = all[at];
    if (!dim.classList.contains("dim") || !asks(dim)) return false;
    dim.querySelector(`.false-alarm input[value="${wanted}"]`).checked = true;
    clear(dim);
    to(at + 1);
    return true;
  };

  const clear = (dim) => { const line = dim.querySelector("[data-error]"); if (line) line.hidden = true; };
  const complain = (errors) => {
    for (const { field, message } of errors) {
      const dim = dims.find((one) => [...one.querySelectorAll("input")].some((input) => input.name === field.replace(/s\./, ".")));
      const line = dim?.querySelector("[data-error]");
      if (!line) continue;
      line.hidden = false;
      line.querySelector("span").textContent = message;
    }
  };

  all.forEach((one, place) => {
    const link = document.createElement("button");
    link.type = "button";
    link.textContent = one.classList.contains("dim") ? one.dataset.step : one === marks.step ? "Marks" : "Note";
    link.append(Object.assign(document.createElement("span"), { className: "vh" }));
    link.addEventListener("click", () => to(place));
    stepper.append(link);
    one.addEventListener("click", () => { if (place !== at) to(place); });
    // Only focus by keyboard opens a step at once: opening it under a pressed mouse would move the target away.
    one.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible") && place !== at) to(place); });
  });
  form.addEventListener("change", (event) => {
    const dim = event.target.closest(".dim");
    if (!dim) return show();
    clear(dim);
    const isTouch = matchMedia("(max-width: 68.74rem)").matches;
    if (isTouch && event.isTrusted && !asks(dim)) return to(all.indexOf(dim) + 1);
    show();
  });
  form.addEventListener("input", show);
  to(Math.max(0, all.findIndex((one) => !isSet(one))));

  return { all, to, toStep, set, answer, left, show, complain, at: () => at, move: (by) => to(at + by), current: () => all[at] };
};
