export * from 'drover/bull';
export { default } from 'drover/bull';
