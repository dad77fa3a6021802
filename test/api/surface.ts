// What the users' programs in programs/ import: the published package, by its own name.
export * from 'sluice';
export * from 'sluice/operators';
export * from 'sluice/testing';
