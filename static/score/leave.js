// After sign-out nothing of the scoring screen stays on this computer. Loaded by every page.
(() => {
  "use strict";
  const out = document.querySelector("form[action$='/sign-out/']");
  try {
    // Only once the sign-out has arrived: a refused one, or a session that ended by itself, loses nothing.
    if (out) {
      sessionStorage.removeItem("leaving");
      out.addEventListener("submit", () => sessionStorage.setItem("leaving", "1"));
    } else if (sessionStorage.getItem("leaving")) {
      sessionStorage.removeItem("leaving");
      Object.keys(localStorage).filter((name) => name.startsWith("mhds.journal.")).forEach((name) => localStorage.removeItem(name));
    }
  } catch { /* storage is switched off: nothing was kept */ }
})();
