// Comments at turns: the person's own words, and where they point (turn, offsets, hash). Never the words they point at.

const signs = (text) => [...text];  // offsets count characters, as the server's language does
const digest = async (text) => {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};
const made = (tag, className, textContent = "") => Object.assign(document.createElement(tag), { className, textContent });

export const commentsOf = (screen, turns, changed) => {
  const field = screen.querySelector("#scores").elements.namedItem("comments");
  const isOn = Boolean(screen.querySelector("#note"));  // where no note may be written, no comment may
  let kept = JSON.parse(field.value || "[]");

  const quote = (one) => {
    const text = turns.texts[one.turn - 1];
    if (one.start === null || turns.isVeiled(one.turn - 1)) return "";
    const said = signs(text.textContent).slice(one.start, one.end).join("");
    return ` on “${said.length > 60 ? `${said.slice(0, 60)}…` : said}”`;
  };
  const show = () => {
    turns.all.forEach((turn, place) => {
      const mine = kept.filter((one) => one.turn === place + 1);
      turn.querySelector("[data-comments]").replaceChildren(...mine.map((one) => {
        const line = made("p", "comment");
        const away = made("button", "btn btn--small", "Remove");
        away.type = "button";
        away.setAttribute("aria-label", `Remove your comment at turn ${one.turn}`);
        away.addEventListener("click", () => put(kept.filter((other) => other !== one)));
        line.append(made("b", "", "Your comment"), made("span", "", `${quote(one)}: ${one.text} `), away);
        return line;
      }));
    });
  };
  const put = (wanted) => {
    kept = wanted;
    field.value = JSON.stringify(kept);
    show();
    changed();
  };

  /** The words selected inside one turn: their place there. Null where nothing, or more than one turn, is selected. */
  const selected = () => {
    const range = getSelection()?.rangeCount ? getSelection().getRangeAt(0) : null;
    if (!range || range.collapsed) return null;
    const place = turns.texts.findIndex((one) => one.contains(range.startContainer) && one.contains(range.endContainer));
    if (place < 0) return null;
    const before = document.createRange();
    before.selectNodeContents(turns.texts[place]);
    before.setEnd(range.startContainer, range.startOffset);
    const start = signs(before.toString()).length;
    return { place, start, end: start + signs(range.toString()).length, said: range.toString() };
  };
  const open = () => {
    if (!isOn) return;
    const words = selected();
    if (words) turns.to(words.place);
    const place = turns.at();
    const box = turns.all[place].querySelector("[data-comments]");
    const before = box.querySelector("form");
    if (before) return before.querySelector("textarea").focus();
    const form = made("form", "comment-form");
    const name = `comment-${place + 1}`;
    const label = made("label", "small strong", words ? "Comment on the selected words" : `Comment on turn ${place + 1}`);
    const text = Object.assign(made("textarea", ""), { id: name, maxLength: 2000, required: true, autocomplete: "off" });
    label.htmlFor = name;
    const row = made("div", "acts");
    const keep = made("button", "btn btn--small", "Keep comment");
    const cancel = Object.assign(made("button", "btn btn--small btn--quiet", "Cancel"), { type: "button" });
    row.append(keep, cancel);
    form.append(label, text, row);
    const close = () => { form.remove(); turns.all[place].scrollIntoView({ block: "nearest" }); };
    cancel.addEventListener("click", close);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); close(); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!text.value.trim()) return;
      // Without a secure address the browser has no hash: the comment then stands at the turn alone.
      const point = words && crypto.subtle ? { start: words.start, end: words.end, sha256: await digest(words.said) } : { start: null, end: null, sha256: "" };
      close();
      put([...kept, { turn: place + 1, text: text.value.trim(), ...point }]);
    });
    box.append(form);
    text.focus();
    form.scrollIntoView({ block: "nearest" });
  };

  for (const [place, turn] of turns.all.entries()) {
    const button = turn.querySelector("[data-comment]");
    button.hidden = !isOn;
    button.addEventListener("mousedown", (event) => event.preventDefault());  // keeps the selection
    button.addEventListener("click", () => { turns.to(place); open(); });
    turn.addEventListener("veiled", show);
  }
  show();
  return { open, read: () => kept, write: (wanted) => { kept = wanted; field.value = JSON.stringify(kept); show(); } };
};
