/** A task for the pool's tests: fails for an item named "bad", and takes long for the others. */
export default async function fail(item: { name: string }): Promise<string> {
  if (item.name === "bad") throw new RangeError("no such layer");
  if (item.name === "late") {
    setTimeout(() => {
      throw new Error("thrown outside the call");
    });
  }
  await new Promise((resolve) => setTimeout(resolve, item.name === "quick" ? 0 : 60_000));
  return item.name;
}
