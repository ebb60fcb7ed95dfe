import { powerLaw, sizeFactor } from "./power_law.ts";

/** QiD falls with the model size N, at one token count and one bit width. Ouyang et al. 2024, arXiv 2411.17691, Eq. 6. */
export const size = powerLaw({
  name: "size",
  title: "Size law",
  source: "Ouyang et al. 2024, arXiv 2411.17691, Eq. 6",
  latex: String.raw`\Delta_q\mathrm{Loss}(N) = \frac{k}{N^{\alpha}}`,
}, [sizeFactor]);
