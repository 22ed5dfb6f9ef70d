// The turns: which one is in focus, and which are veiled. A veiled turn's words are out of the document, in memory only.

export const turnsOf = (screen) => {
  const all = [...screen.querySelectorAll(".turn")];
  const texts = all.map((one) => {
    const kept = one.querySelector("template");
    const text = kept ? kept.content.querySelector(".turn-text") : one.querySelector(".turn-text");
    kept?.remove();
    return document.adoptNode(text);
  });
  const button = screen.querySelector("[data-veil]");
  let at = 0;

  const isVeiled = (place) => !texts[place].isConnected && !all[place].contains(texts[place]);
  const cover = (place, on) => {
    if (on) texts[place].remove();
    else if (isVeiled(place)) all[place].querySelector(".turn-in").insertBefore(texts[place], all[place].querySelector("[data-comments]"));
    all[place].querySelector("[data-cover]").hidden = !on;
    all[place].dispatchEvent(new CustomEvent("veiled", { bubbles: true, detail: { place, on } }));
    press();
  };
  const press = () => {
    const veiled = all.filter((_, place) => isVeiled(place)).length;
    button.setAttribute("aria-pressed", String(veiled > 0));
    const head = screen.querySelector("[data-veil-head]");
    if (head) head.hidden = veiled === 0;
  };
  const veil = () => {
    const on = !all.some((_, place) => isVeiled(place));
    all.forEach((_, place) => cover(place, on));
  };
  const to = (place) => {
    at = Math.max(0, Math.min(all.length - 1, place));
    all.forEach((one, other) => {
      one.classList.toggle("is-focus", other === at);
      if (other === at) one.setAttribute("aria-current", "true");
      else one.removeAttribute("aria-current");
    });
    all[at].scrollIntoView({ block: "nearest" });
  };

  const startVeiled = Boolean(screen.querySelector("[data-veil-head]"));
  all.forEach((one, place) => {
    cover(place, startVeiled);
    one.addEventListener("click", () => { if (place !== at) to(place); });
    one.querySelector("[data-reveal]").addEventListener("click", () => cover(place, false));
  });
  button.hidden = false;
  button.addEventListener("click", veil);
  for (const one of screen.querySelectorAll("[data-unveil]")) {
    one.hidden = false;
    one.addEventListener("click", veil);
  }
  to(0);

  return {
    all, texts, to, veil, isVeiled,
    at: () => at,
    move: (by) => to(at + by),
    reveal: () => { if (isVeiled(at)) cover(at, false); },
    /** Everything out of the page and out of memory: the record may not be read any more. */
    forget: () => { texts.forEach((one) => { one.remove(); one.textContent = ""; }); },
  };
};
