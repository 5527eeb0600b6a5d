// Before the first paint, so that a stored choice does not flash.
(() => {
  const stored = localStorage.getItem("winnow.theme");
  if (stored) document.documentElement.dataset.theme = stored;
})();
