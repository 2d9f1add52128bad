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
// Drawing over the days of a chart with the mouse asks for these days; a click on one asks for that day, as ever.
(() => {
  if (window.groundswellBrush) return;
  window.groundswellBrush = true;
  let chart = null, first = -1, last = -1;
  const cells = () => [...chart.querySelectorAll(".days a")];
  const over = (event) => cells().indexOf(event.target.closest ? event.target.closest(".days a") : null);
  const shade = () => cells().forEach((cell, i) => cell.classList.toggle(
    "brushed", first !== last && i >= Math.min(first, last) && i <= Math.max(first, last)));
  const day = (i) => new Date(Date.parse(chart.dataset.first + "T00:00Z") + i * 864e5).toISOString().slice(0, 10);
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest && event.target.closest(".chart[data-brush]")) event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    chart = !event.button && event.target.closest ? event.target.closest(".chart[data-brush]") : null;
    first = last = chart ? over(event) : -1;
  });
  document.addEventListener("pointermove", (event) => {
    if (!chart || first < 0) return;
    const at = over(event);
    if (at >= 0 && at !== last) { last = at; shade(); }
  });
  document.addEventListener("pointerup", () => {
    const [begin, end] = [Math.min(first, last), Math.max(first, last)];
    if (chart && begin >= 0 && begin !== end) {
      const address = chart.dataset.brush.replace("SINCE", day(begin)).replace("UNTIL", day(end + 1));
      window.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); },
        { capture: true, once: true });
      setTimeout(() => {
        history.pushState({}, "", new URL(address, document.baseURI).href);
        window.dispatchEvent(new PopStateEvent("popstate"));
      }, 0);
    }
    chart = null; first = last = -1;
  });
})();
