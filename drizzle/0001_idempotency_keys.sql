CREATE TABLE "idempotency_keys" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"status" integer,
	"content_type" text,
	"location" text,
	"body" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "idempotency_keys_key" UNIQUE("account_id","key"),
	CONSTRAINT "idempotency_keys_key_length" CHECK (char_length("idempotency_keys"."key") between 1 and 255)
);
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_age_idx" ON "idempotency_keys" USING btree ("account_id","created_at");--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "idempotency_keys" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "idempotency_keys" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);