// The page of a signature: copies the digest, and lets the button name the act chosen. The page works without it.
(function () {
  "use strict";
  const copy = document.querySelector("[data-copy]");
  if (copy) {
    copy.hidden = false;
    copy.addEventListener("click", async function () {
      const told = document.getElementById("copied");
      try {
        await navigator.clipboard.writeText(copy.dataset.copy);
        told.textContent = "copied";
      } catch {
        // No clipboard here (plain HTTP, or refused): select it, so that the person can.
        getSelection().selectAllChildren(document.getElementById(copy.dataset.select));
        told.textContent = "selected: copy it by hand";
      }
    });
  }
  const button = document.querySelector("[data-declines]");
  if (!button) return;
  const signs = button.textContent;
  function name() {
    const chosen = document.querySelector("[name=decision]:checked");
    button.textContent = chosen && chosen.value === "declined" ? button.dataset.declines : signs;
  }
  document.addEventListener("change", name);
  name();
})();
