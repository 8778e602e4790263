# An application on Fargate with hikyaku beside it, the same as task-definition.json:
# `terraform apply -var app_image=… -var hikyaku_image=… -var datadog_api_key_parameter=arn:…`
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "name" {
  description = "Name of the service, and of everything made for it."
  type        = string
  default     = "orders"
}

variable "app_image" {
  description = "The application's image."
  type        = string
}

variable "app_port" {
  description = "Where the application listens."
  type        = number
  default     = 8080
}

variable "hikyaku_image" {
  description = "hikyaku's image in a registry of yours."
  type        = string
}

variable "datadog_api_key_parameter" {
  description = "ARN of the SSM parameter (SecureString) with Datadog's API key."
  type        = string
}

variable "datadog_site" {
  description = "Datadog's site."
  type        = string
  default     = "datadoghq.com"
}

data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# What ECS needs before the containers run: the images, the log groups, the secret.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secret" {
  name = "datadog-api-key"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "ssm:GetParameters"
      Resource = var.datadog_api_key_parameter
    }]
  })
}

# What the containers may do themselves: hikyaku sends to X-Ray.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "xray" {
  role       = aws_iam_role.task.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = 14
}

locals {
  logs = {
    for container in ["app", "hikyaku"] : container => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.region
        awslogs-stream-prefix = container
      }
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    cpu_architecture        = "ARM64"
    operating_system_family = "LINUX"
  }

  container_definitions = jsonencode([
    {
      name      = "app"
      image     = var.app_image
      essential = true
      # Started when hikyaku is ready, and stopped before it, so that its first and its last spans find somebody. The price: with a hikyaku
      # that does not become ready, as with a config that it refuses, the application does not start, and the deployment fails where it would
      # run without telemetry. Backends have no part in that: hikyaku is ready when its receivers listen. With START in the place of HEALTHY,
      # the application starts in any case, and may lose its first spans.
      dependsOn    = [{ containerName = "hikyaku", condition = "HEALTHY" }]
      portMappings = [{ containerPort = var.app_port, protocol = "tcp" }]
      environment = [
        { name = "OTEL_SERVICE_NAME", value = var.name },
        { name = "OTEL_EXPORTER_OTLP_ENDPOINT", value = "http://localhost:4318" },
      ]
      stopTimeout      = 30
      logConfiguration = local.logs["app"]
    },
    {
      name  = "hikyaku"
      image = var.hikyaku_image
      # Once both run, telemetry does not take the application down: when hikyaku ends, the task goes on, and ECS starts hikyaku again if it
      # had run for that many seconds, the least there is. One that ends sooner stays down until the next task. On Fargate, this wants platform
      # version 1.4.0, which LATEST is.
      essential     = false
      restartPolicy = { enabled = true, restartAttemptPeriod = 60 }
      # How long the application waits for it; then the task is stopped. Fargate takes 120 at most.
      startTimeout = 60
      command      = ["--config", "env:HIKYAKU_CONFIG"]
      environment = [
        { name = "HIKYAKU_CONFIG", value = file("${path.module}/hikyaku.yaml") },
        { name = "DD_SITE", value = var.datadog_site },
      ]
      secrets = [
        { name = "DD_API_KEY", valueFrom = var.datadog_api_key_parameter },
      ]
      healthCheck = {
        command     = ["CMD", "/hikyaku", "healthcheck", "--endpoint", "localhost:13133"]
        interval    = 5
        timeout     = 3
        retries     = 3
        startPeriod = 5
      }
      cpu                    = 32
      memory                 = 128
      memoryReservation      = 64
      # Above service.shutdown.deadline, which is 25 s.
      stopTimeout            = 30
      readonlyRootFilesystem = true
      user                   = "65532:65532"
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      logConfiguration       = local.logs["hikyaku"]
    },
  ])
}

output "task_definition" {
  description = "For an aws_ecs_service."
  value       = aws_ecs_task_definition.this.arn
}
