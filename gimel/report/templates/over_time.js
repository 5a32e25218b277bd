"use strict";
// Shows the figures of the day under the pointer in the legends of its plots. A slider, which is
// seen only as an outline while it has the focus, does the same for arrow keys and screen readers.
const overTime = (() => {
  function prepareDays(days) {
    const fields = [...days.querySelectorAll(".field")];
    const rows = [...days.querySelectorAll("tbody tr")];
    if (!fields.length || !rows.length) return;
    const xs = days.dataset.x.split(" ").map(Number);
    const last = xs.length - 1;
    const shown = [days.querySelector(".time"), ...days.querySelectorAll(".figure")];
    const latest = shown.map(each => each.textContent);

    const slider = document.createElement("input");
    slider.type = "range";
    slider.className = "day";
    slider.id = `${days.id}-day`;
    slider.max = slider.value = last;
    slider.setAttribute("aria-label", `Day: ${days.dataset.label}`);
    days.prepend(slider);
    const cursors = fields.map(field => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "cursor");
      line.setAttribute("y2", "100%");
      line.setAttribute("visibility", "hidden");
      field.append(line);
      return line;
    });

    function describe() {
      const plots = [...days.querySelectorAll(".plot")].map(plot => {
        const figures = [...plot.querySelectorAll(".legend li")].map(each => each.innerText.trim());
        return `${plot.querySelector("figcaption").textContent}: ${figures.join(", ")}`;
      });
      slider.setAttribute("aria-valuetext", `until ${shown[0].textContent}. ${plots.join(". ")}`);
    }
    function show(index) {
      const cells = rows[index].cells;
      slider.value = index;
      for (const each of shown) {
        each.textContent = cells[each.dataset.column || 0].firstChild.textContent.trim();
      }
      for (const cursor of cursors) {
        for (const end of ["x1", "x2"]) cursor.setAttribute(end, `${xs[index]}%`);
        cursor.setAttribute("visibility", "visible");
      }
      describe();
    }
    function rest() {
      if (document.activeElement === slider) return;
      slider.value = last;
      shown.forEach((each, number) => { each.textContent = latest[number]; });
      for (const cursor of cursors) cursor.setAttribute("visibility", "hidden");
      describe();
    }
    function find(field, { clientX }) {
      const { left, width } = field.getBoundingClientRect();
      const x = 100 * (clientX - left) / width;
      const after = xs.findIndex(each => each >= x);
      if (after <= 0) return after < 0 ? last : 0;
      // A step ends at its day; a line has the nearest one.
      return "steps" in days.dataset || xs[after] - x < x - xs[after - 1] ? after : after - 1;
    }
    for (const field of fields) {
      const box = field.parentElement;
      for (const kind of ["pointermove", "pointerdown"]) {
        box.addEventListener(kind, event => show(find(field, event)));
      }
      box.addEventListener("pointerleave", rest);
    }
    slider.addEventListener("input", () => show(Number(slider.value)));
    slider.addEventListener("focus", () => {
      if (slider.matches(":focus-visible")) show(Number(slider.value));
    });
    slider.addEventListener("blur", () => setTimeout(rest));
    describe();
  }

  // What a reader chose is kept when the part with the figures is swapped.
  function remember(root) {
    const slider = root.querySelector(".day:focus");
    const scrolled = [...root.querySelectorAll(".scroll")].map(each => {
      return [each.parentElement.id, each.scrollTop, each.scrollLeft];
    });
    return { slider: slider && slider.id, value: slider && slider.value, scrolled };
  }
  function prepare(root, kept) {
    root.querySelectorAll(".days").forEach(prepareDays);
    if (!kept) return;
    const slider = kept.slider && document.getElementById(kept.slider);
    if (slider) slider.value = kept.value;
    for (const [id, top, left] of kept.scrolled) {
      const box = document.querySelector(`#${id} > .scroll`);
      if (box) box.scrollTo(left, top);
    }
  }
  return { prepare, remember };
})();
