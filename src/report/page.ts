/** What the report's page carries: its style and its script. The build makes page.json beside this file. */
import { readFileSync } from 'node:fs';

export interface ReportPage {
  readonly style: string;
  readonly script: string;
}

/** @throws system errors, where the installation is not complete */
export function loadReportPage(file: URL = new URL('./page.json', import.meta.url)): ReportPage {
  return JSON.parse(readFileSync(file, 'utf8')) as ReportPage;
}
