import type { Parameter } from "./operation.ts";

/** Row `ids[i]` of the table for each i; backward adds each row's gradient to the table's. */
export function embedding(ids: Int32Array, table: Parameter, width: number) {
  const value = new Float64Array(ids.length * width);
  ids.forEach((id, row) => {
    value.set(table.value.subarray(id * width, (id + 1) * width), row * width);
  });
  return {
    value,
    backward(gradient: Float64Array): void {
      ids.forEach((id, row) => {
        for (let i = 0; i < width; i++) {
          table.gradient[id * width + i]! += gradient[row * width + i]!;
        }
      });
    },
  };
}
