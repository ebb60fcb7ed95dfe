/** A task for the pool's tests: the later items finish first. */
export default async function square(item: number, context: { offset: number }): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 40 - 4 * item));
  return item * item + context.offset;
}
