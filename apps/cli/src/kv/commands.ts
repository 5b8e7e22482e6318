export const get: any = 0, put: any = 0, del: any = 0, watch: any = 0;
