// Links of our own HTML change the page without loading the board anew, so that what a person typed is kept.
// With a modifier key, or without this script, they are plain links.
(() => {
  if (window.groundswellLinks) return;
  window.groundswellLinks = true;
  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest(".stHtml a[href]") : null;
    const plain = !(event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain || link.target || link.origin !== location.origin) return;
    event.preventDefault();
    history.pushState({}, "", link.href);
    window.dispatchEvent(new PopStateEvent("popstate"));
    const main = document.querySelector("[data-testid=stMain]");
    if (main) main.scrollTo(0, 0);
  });
})();
