// One record on the screen: turns, steps, marks, comments and saving put together, and what each act does here.
import { commentsOf } from "./comments.js";
import { drawersOf } from "./drawers.js";
import { marksOf } from "./marks.js";
import { saverOf } from "./saving.js";
import { stepsOf } from "./steps.js";
import { turnsOf } from "./turns.js";

const byName = (fields) => {
  const found = new Map();
  for (const [name, value] of fields) found.set(name, [...(found.get(name) ?? []), value]);
  return found;
};

export const mount = (screen, journal) => {
  const form = screen.querySelector("#scores");
  const turns = turnsOf(screen);
  const marks = marksOf(screen, () => turns.at() + 1, turns.all.length);
  const steps = stepsOf(screen, marks);
  const saver = saverOf(screen, journal);
  const drawers = drawersOf(screen);
  const past = [];
  let last = saver.fields();

  const changed = () => {
    past.push(last);
    last = saver.fields();
    steps.show();
    saver.later();
  };
  const comments = commentsOf(screen, turns, changed);
  marks.onChange(changed);
  form.addEventListener("change", changed);
  form.addEventListener("input", (event) => { if (event.target.matches("textarea")) saver.later(); });

  const apply = (fields) => {
    const kept = byName(fields);
    for (const one of form.querySelectorAll("input[type='radio'], input[type='checkbox']")) {
      one.checked = (kept.get(one.name) ?? []).includes(one.value);
    }
    const note = form.elements.namedItem("note");
    if (note) note.value = kept.get("note")?.[0] ?? "";
    if (marks.step) marks.write(kept.get(marks.step.dataset.field) ?? []);
    comments.write(JSON.parse(kept.get("comments")?.[0] || "[]"));
    last = saver.fields();
    const open = steps.left()[0];
    if (open) steps.toStep(open[0]);
    else steps.show();
  };
  /** Back by one change on this record; false when there is none, and the page asks for the record before. */
  const undo = () => {
    if (!past.length) return false;
    apply(past.pop());
    saver.later();
    return true;
  };
  /** What a lost connection or a closed window left behind; the server says whether something newer is there. */
  const recall = () => {
    const entry = journal.get(screen.dataset.assignment);
    if (!entry) return;
    apply(entry.fields);
    saver.version.value = byName(entry.fields).get("version")?.[0] ?? "0";
    saver.now();
  };
  const score = (value) => { if (steps.set(value)) changed(); };
  const digit = (key) => {
    if (marks.picking?.()) return;
    if (steps.current() === marks.step) return saver.tell("X first, then the number of the critical", "run");
    score(key);
  };
  const answer = (value) => {
    const isAsked = steps.answer(value);
    if (isAsked) changed();
    return isAsked;
  };
  const na = () => {
    if (answer("no")) return;
    if (marks.step && steps.current() === marks.step) marks.none();
    else score("n/a");
  };
  const move = (by) => {
    marks.stop();
    steps.move(by);
    const note = steps.current().querySelector("textarea");
    if (note) note.focus();
    else if (document.activeElement?.matches("input[type='radio']")) document.activeElement.blur();
  };
  const turn = (by) => {
    turns.move(by);
    if (marks.picking?.()) marks.start();  // its words name the turn
  };
  const critical = () => { if (marks.step) { steps.toStep(marks.step); marks.start(); } };

  screen.classList.add("has-script");
  screen.id = "screen";
  return {
    screen, turns, steps, saver, drawers, comments, undo, recall, digit, answer,
    isLeaving: false,
    stop: marks.stop, isPicking: () => Boolean(marks.picking?.()), picks: marks.picks, pick: marks.pick,
    acts: {
      na, unsure: () => score("unsure"), critical,
      dimension_down: () => move(1), dimension_up: () => move(-1),
      turn_down: () => turn(1), turn_up: () => turn(-1), reveal: turns.reveal,
      veil: turns.veil, comment: comments.open,
      escalate: () => drawers.toggle("escalate"), guideline: () => drawers.toggle("guideline"), keys: () => drawers.toggle("keys"),
    },
  };
};
