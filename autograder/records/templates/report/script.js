"use strict";
(() => {
  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) if (e.localName === "details") e.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a");
    if (link && (link.getAttribute("href") || "").startsWith("#")) setTimeout(open);
  });
  open();

  const heat = document.querySelector(".heat");
  if (heat) {
    const heads = [...heat.tHead.rows[0].cells];
    const key = (row, n) => {
      const text = row.cells[n].textContent.trim();
      return n === 0 ? text.toLocaleLowerCase() : Number.parseFloat(row.cells[n].dataset.v);
    };
    heads.slice(0, -1).forEach((head, n) => {
      const words = head.firstElementChild;
      const button = document.createElement("button");
      button.append(...words.childNodes);
      words.append(button);
      button.addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === (n ? "descending" : "ascending") ? -1 : 1;
        const sign = n ? -way : way;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const rows = [...heat.tBodies[0].rows];
        rows.sort((a, b) => {
          const [x, y] = [key(a, n), key(b, n)];
          return sign * (n ? x - y : x.localeCompare(y));
        });
        heat.tBodies[0].append(...rows);
      });
    });
  }

  for (const label of document.querySelectorAll("label[hidden]")) {
    label.hidden = false;
    label.querySelector("input").addEventListener("input", (event) => {
      const wanted = event.target.value.trim().toLocaleLowerCase();
      for (const item of document.querySelectorAll("[data-who]")) {
        item.hidden = !item.dataset.who.toLocaleLowerCase().includes(wanted);
      }
      for (const other of document.querySelectorAll("label input")) other.value = event.target.value;
    });
  }
})();
