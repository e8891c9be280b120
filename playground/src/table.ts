// Tables whose cells change in place: a selection in them survives the next figures.

import { element, say } from "./dom";

export class Table {
  readonly #body: HTMLTableSectionElement;

  constructor(table: HTMLTableElement, columns: readonly string[]) {
    const head = table.createTHead().insertRow();
    head.append(...columns.map((name) => element("th", name, { scope: "col" })));
    this.#body = table.createTBody();
  }

  /** Shows `rows`; the first cell of each is its name. `marked` rows stand out. */
  show(rows: readonly (readonly string[])[], marked: (row: number) => boolean = () => false): void {
    while (this.#body.rows.length > rows.length) this.#body.deleteRow(-1);
    rows.forEach((cells, at) => {
      const row = this.#body.rows[at] ?? this.#make(cells.length);
      row.classList.toggle("marked", marked(at));
      cells.forEach((text, column) => {
        const cell = row.cells[column];
        if (cell !== undefined) say(cell, text);
      });
    });
  }

  #make(cells: number): HTMLTableRowElement {
    const row = this.#body.insertRow();
    row.append(element("th", "", { scope: "row" }));
    for (let at = 1; at < cells; at += 1) row.insertCell();
    return row;
  }
}
