// The schema of the JSON values, the same for everyone.
import { z } from 'zod';

export const documentSchema = z.object({ id: z.number(), text: z.string() });
